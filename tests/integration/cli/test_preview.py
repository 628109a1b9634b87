"""``mmsgate preview`` against a running gateway."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mmsgate.carriers.profile import Limits
from mmsgate.cli.gateway import Access
from mmsgate.cli.main import cli
from mmsgate.cli.preview import groups, with_key
from mmsgate.wire.document import read_document
from tests.integration.api.conftest import KEY, Api, demo, medium, request
from tests.integration.api.test_preview import photograph, rows
from tests.integration.api.test_templates import saved


async def run(api: Api, *words: str, stdin: str | None = None, key: str = KEY) -> Result:
    """The command's result, run beside the gateway."""
    arguments = ["preview", *words, "--url", api.gateway.settings.url, "--api-key", key]
    shell = CliRunner(env={"COLUMNS": "300"})
    return await asyncio.to_thread(shell.invoke, cli, arguments, input=stdin)


def written(tmp_path: Path, document: str) -> str:
    path = tmp_path / "request.xml"
    path.write_text(document, encoding="utf-8")
    return str(path)


async def test_carriers_with_equal_results_share_a_line_and_nothing_is_sent(api: Api, tmp_path: Path) -> None:
    url = api.origin.file("/large.jpg", photograph((1000, 900)))
    before = rows(api)
    result = await run(
        api, written(tmp_path, request(slides=medium("image", url), fallback_sms_text="A picture for you all:"))
    )
    assert result.exit_code == 0, result.output
    assert rows(api) == before
    lines = result.stdout.splitlines()
    assert lines[0].startswith("sendMMS: 1 slide, 1 file, ")
    (sprint,) = [line for line in lines if "MMS" in line and "Sprint/short-code" in line]
    letter, limit = sprint[0], sprint.split()[3]
    assert limit == "614,400"
    assert "MetroPCS/short-code" in sprint
    assert "Verizon" not in sprint
    (change,) = [line for line in lines if "→" in line]
    assert lines[lines.index(change) - 1] == f"{letter}:"
    assert "to fit" not in change
    (others,) = [line for line in lines if "Verizon/short-code" in line]
    assert "1,050,000 – 5,250,000 decoded" in others
    assert result.stdout.count("Sprint/short-code") == 1
    assert lines[lines.index("warnings:") + 1].startswith("  the files are ")


async def test_a_saved_message_and_json(api: Api) -> None:
    mms_id = await saved(api)
    result = await run(api, "--mms-id", mms_id, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["action"], told["slides"]) == ("sendSavedMMS", 2)


async def test_a_request_comes_in_by_standard_input_without_a_key(api: Api) -> None:
    for given in ("", None, "YOUR-API-KEY"):
        result = await run(api, "-", "--json", stdin=request(api_key=given))
        assert json.loads(result.stdout)["action"] == "sendMMS", result.output


async def test_a_refusal_ends_with_status_1_and_its_reason(api: Api, tmp_path: Path) -> None:
    result = await run(api, written(tmp_path, request(to="0044")))
    assert (result.exit_code, result.stdout) == (1, "")
    assert str(result.exception).startswith("refused with E110: ")
    assert "8 to 15 digits" in str(result.exception)
    result = await run(api, written(tmp_path, "no XML"))
    assert str(result.exception).startswith("refused with E108: ")
    result = await run(api, "--mms-id", "5", key="mg_wrong")
    assert str(result.exception).startswith("refused with E104: ")


async def test_recipients_who_would_get_nothing_end_it_with_status_1(api: Api, tmp_path: Path) -> None:
    await api.carrier(limits=Limits(types=frozenset({"text/plain"})))
    url = api.origin.file("/flyer.pdf", demo("flyer.pdf"))
    document = request(slides=medium("pdf", url), more="<disable-fallback-sms>1</disable-fallback-sms>")
    result = await run(api, written(tmp_path, document))
    assert result.exit_code == 1
    assert "nothing" in result.stdout
    assert "phones on the carrier don't take PDF" in result.stdout
    assert "dead/short-code" in str(result.exception)


async def test_one_of_file_and_id_is_needed_and_options_of_the_other_are_named(api: Api, tmp_path: Path) -> None:
    file = written(tmp_path, request())
    for words, said in (
        ([], "give FILE, or --mms-id ID"),
        (["--mms-id", "5", file], "give FILE or --mms-id ID, not both"),
        (
            [file, "--to", "12065550100", "--from", "28444", "--service-id", "1"],
            "--to, --from, --service-id can't be used with FILE: the request has its own",
        ),
    ):
        result = await run(api, *words)
        assert (result.exit_code, said in result.output) == (2, True), result.output


def keyless(tmp_path: Path) -> Access:
    return Access(url="http://x", given_key="", key_file=tmp_path / "none")


def test_a_key_that_is_given_stays_and_needs_no_other(tmp_path: Path) -> None:
    document = request(api_key="mine").encode()
    assert with_key(document, keyless(tmp_path)) is document


@pytest.mark.parametrize(
    "document", ["<REQUEST><ACTION>sendMMS</ACTION><TO>1 &amp; ☀</TO></REQUEST>", "<request/>"]
)
def test_a_missing_key_is_added_in_the_documents_dialect(document: str, tmp_path: Path) -> None:
    filled = read_document(with_key(document.encode(), Access(url="", given_key="k", key_file=tmp_path)))
    added = filled[-1]
    assert (added.tag, added.text) == ("API_KEY" if "REQUEST" in document else "api-key", "k")
    assert [child.text for child in filled][:-1] == [child.text for child in read_document(document)]


def row(carrier: str, **changes: Any) -> dict[str, Any]:
    return {
        "carrier": carrier, "limit": {"bytes": 614_400, "measure": "decoded"}, "outcome": "mms", "size": 5,
        "changes": [f"slide 1: smaller to fit 614,400 decoded on {carrier}"], "reason": "", **changes,
    }  # fmt: skip


def test_groups_differ_in_what_recipients_get_not_in_the_carriers_name_or_limit() -> None:
    def limited(carrier: str, most: int, measure: str = "decoded", **changes: Any) -> dict[str, Any]:
        words = f"{most:,} {'decoded' if measure == 'decoded' else 'on the wire'} on {carrier}"
        made = [f"slide 1: smaller to fit {words}"]
        given = {"limit": {"bytes": most, "measure": measure}, "changes": made, **changes}
        return row(carrier, **given)

    def over(carrier: str, size: int) -> dict[str, Any]:
        reason = f"slide 1: Video of 9,000,000 bytes, over the {size:,} decoded on {carrier}; can't be made to fit "
        return limited(carrier, size, outcome="sms", size=None, changes=[], reason=f"{reason}{size - 9:,} bytes")

    found = groups([
        limited("A/short-code", 614_400), limited("US B/long-code", 5_250_000), limited("C/x", 614_400, size=6),
        limited("A/short-code", 614_400), limited("D/x", 300_000, "wire"), limited("E/x", 700_000),
        over("F/x", 614_400), over("US G/x", 700_000),
    ])  # fmt: skip
    assert [group.carriers for group in found] == [
        ("A/short-code", "US B/long-code", "D/x", "E/x"), ("C/x",), ("F/x", "US G/x"),
    ]  # fmt: skip
    assert [group.limit for group in found] == [
        "614,400 – 5,250,000 decoded, 300,000 on the wire", "614,400 decoded", "614,400 – 700,000 decoded",
    ]  # fmt: skip
    assert found[0].changes == ("slide 1: smaller",)
    assert found[2].reason == "slide 1: Video of 9,000,000 bytes, over the limit; can't be made to fit"
