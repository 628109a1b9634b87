"""``?dry-run=1``: whether a call is a preview, and the preview as JSON (docs/reference/http-api.md)."""

import json
from collections.abc import Iterable, Iterator

from starlette.responses import Response

from mmsgate.accept.save import size_of
from mmsgate.domain.preview import Preview, PreviewRow, Problem
from mmsgate.errors import Refusal
from mmsgate.wire.names import canonical

_YES, _NO = frozenset({"1", "yes", "true"}), frozenset({"", "0", "no", "false"})


def is_dry_run(query: Iterable[tuple[str, str]]) -> bool:
    """Whether the query asks for a preview. What is neither yes nor no is E100: nothing is sent by mistake."""
    values = [value.strip().lower() for name, value in query if canonical(name) == "dryrun"]
    if odd := [value for value in values if value not in _YES | _NO]:
        raise Refusal("E100", detail=f"dry-run is 1, yes or true, or 0, no or false, not {odd[0][:40]!r}")
    return any(value in _YES for value in values)


def preview_response(preview: Preview) -> Response:
    """The answer to a preview: HTTP 200 with JSON in every dialect."""
    body = json.dumps(preview_json(preview), ensure_ascii=False).encode()
    return Response(body, headers={"Content-Type": "application/json; charset=utf-8"})


def preview_json(preview: Preview) -> dict[str, object]:
    """All of a preview."""
    return {
        "action": preview.action.value,
        "slides": len(preview.content.slides),
        "size": size_of(preview.content),
        "files": list(_files(preview)),
        "renditions": [_rendition(row) for row in preview.rows],
        "warnings": list(preview.warnings),
        "problems": [_problem(each) for each in preview.problems],
    }


def _files(preview: Preview) -> Iterator[dict[str, object]]:
    for number, slide in enumerate(preview.content.slides, 1):
        for medium in slide.media:
            yield {
                "slide": number, "kind": medium.kind.value, "type": medium.mime, "size": medium.size,
                "width": medium.width or None, "height": medium.height or None,
                "seconds": preview.seconds.get(medium.blob), "url": medium.source,
            }  # fmt: skip


def _rendition(row: PreviewRow) -> dict[str, object]:
    return {
        "connection": row.connection, "operator": row.operator, "carrier": row.label,
        "sender-type": row.sender_type.value,
        "limit": {"bytes": row.limit.bytes, "measure": row.limit.measure.value, "source": row.source},
        "outcome": row.outcome.value, "size": row.size, "changes": list(row.changes), "reason": row.reason,
    }  # fmt: skip


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code.value, "slide": problem.slide, "url": problem.medium.source, "reason": problem.reason,
    }  # fmt: skip
