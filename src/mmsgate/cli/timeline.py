"""A message's timeline as lines of text, from the JSON of ``GET /messages/TRACKING-ID``."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

_COLOURS = {
    "delivered": "green", "undelivered": "red", "failed": "red", "unreported": "yellow", "unknown": "yellow",
    "sms-unknown": "yellow",
}  # fmt: skip


def head(message: Mapping[str, Any]) -> str:
    """Where it stands, which it is, from whom and to whom."""
    return (
        f"{coloured(message['state'])}  [bold]{escape(message['tracking-id'])}[/bold]  "
        f"{escape(message['from'])} → {escape(message['to'])}  mms-id {message['mms-id']}"
    )


def coloured(state: str) -> str:
    """A state in its colour."""
    colour = _COLOURS.get(state, "cyan")
    return f"[{colour}]{state}[/{colour}]"


def event_line(event: Mapping[str, Any]) -> str:
    """One event: time, state, reason."""
    state = coloured(event["state"]) if event["changed"] else "[dim](recorded, no change)[/dim]"
    return f"  [dim]{event['at'][11:19]}[/dim]  {state}  {escape(event['reason'])}"


def postback_line(postback: Mapping[str, Any]) -> str:
    """One postback and how far it has come."""
    trouble = f"  [yellow]{escape(postback['error'])}[/yellow]" if postback["error"] else ""
    return f"  postback {postback['sequence']}  {postback['code']}  {postback['state']}{trouble}"


def lines(message: Mapping[str, Any], *, events_from: int = 0) -> Sequence[str]:
    """The events from number `events_from` on."""
    return [event_line(event) for event in message["timeline"][events_from:]]
