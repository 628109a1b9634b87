"""Logging of a running gateway: lines for people, or one JSON object a line."""

import json
import logging
import sys
from datetime import UTC, datetime

from mmsgate.trail import present


def ids(record: logging.LogRecord) -> dict[str, str]:
    """The ids of the work in which a line was written; those that are known."""
    given = {"request_id": getattr(record, "request_id", ""), "tracking_id": getattr(record, "tracking_id", "")}
    return {name: value for name, value in given.items() if value}


def note_ids(record: logging.LogRecord) -> bool:
    """A filter that drops nothing: it is asked where a line is written, in the task whose ids it gets."""
    trail = present()
    if trail is not None:
        record.request_id, record.tracking_id = trail.request_id, trail.tracking_id
    return True


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, text, the ids of the work, and the trail of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
            **ids(record),
        }
        if record.exc_info:
            line["trail"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class ConsoleLines(logging.Formatter):
    """Lines for people: the ids that the text does not name are at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(name)s  %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the name is logging's
        line = super().formatMessage(record)
        more = [f"{name}={value}" for name, value in ids(record).items() if value not in line]
        return "  ".join([line, *more])


def set_up_logging(level: str, form: str) -> None:
    """Log to standard error. Libraries speak from warning up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(note_ids)
    handler.setFormatter(JsonLines() if form == "json" else ConsoleLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mmsgate").setLevel(level.upper())
