"""Every metric: its name, its labels and what it says. The page docs/reference/metrics.md is made from it.

    python -m mmsgate.ops.catalogue > docs/reference/metrics.md

Names are those of Prometheus' conventions: seconds and bytes, ``_total`` for what only grows. Labels have few
values: those of connections, actions, codes and states; never an account, a number or an id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How Prometheus reads it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"  # a sum and a count


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `name` is without the ``_total`` of a counter."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()

    @property
    def exposed(self) -> str:
        """The name as it is asked for."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


def _counter(name: str, about: str, *labels: str) -> Metric:
    return Metric(name=f"mmsgate_{name}", kind=Kind.COUNTER, about=about, labels=labels)


def _gauge(name: str, about: str, *labels: str) -> Metric:
    return Metric(name=f"mmsgate_{name}", kind=Kind.GAUGE, about=about, labels=labels)


def _histogram(name: str, about: str, *labels: str) -> Metric:
    return Metric(name=f"mmsgate_{name}", kind=Kind.HISTOGRAM, about=about, labels=labels)


BUILD = _gauge("build_info", "1; the release is in the label.", "version")

HTTP_REQUESTS = _counter(
    "http_requests",
    "Requests to the public port that were answered. Areas: api, uploads, carriers (reports and inbound MMS), "
    "pages, files, help, other. Status 0: the caller hung up.",
    "area", "status",
)  # fmt: skip
HTTP_SECONDS = _histogram("http_request_duration_seconds", "From a request's head to its answer's end.", "area")
API_REQUESTS = _counter(
    "api_requests",
    "Calls of the XML API by action (none: the request names none of ours) and code: success, or the refusal's.",
    "action", "code",
)  # fmt: skip
API_SECONDS = _histogram(
    "api_request_duration_seconds", "How long a call takes, with the fetching of its media.", "action"
)

ACCEPTED = _counter(
    "messages_accepted", "Messages committed, by the connection that was chosen for them.", "connection"
)
ACCEPT_SECONDS = _histogram(
    "message_commit_duration_seconds", "How long a message waits for its commit.", "connection"
)
STEPS = _counter(
    "message_steps",
    "Steps of messages, by the state that each led to (docs/explanation/states.md): delivered, undelivered, failed "
    "and unreported are final. An accepted one is a message put back for another attempt.",
    "connection", "state",
)  # fmt: skip
SUBMITS = _counter(
    "submits",
    "Requests to an MMSC and parts of SMS to an SMSC, by what came of them: accepted, refused-recipient, "
    "refused-content, our-fault, paused, temporary, unknown; of SMS: accepted, refused, throttled, not-sent, "
    "unknown.",
    "connection", "outcome",
)  # fmt: skip
SUBMIT_SECONDS = _histogram(
    "submit_duration_seconds", "From the first octet of a submit to its answer.", "connection"
)
POSTBACKS = _counter(
    "postbacks",
    "Postbacks posted, by their code and what came of it: sent, again (it is tried later) or parked (given up).",
    "code", "outcome",
)  # fmt: skip
POSTBACK_SECONDS = _histogram("postback_duration_seconds", "How long a receiver takes to answer.", "code")
REPORTS = _counter(
    "reports",
    "Delivery reports, read reports and receipts, by what they found their message: id, normalised (the id with "
    "other letters or zeros), recipient; orphan: they found none and are kept.",
    "connection", "matched_by",
)  # fmt: skip
REPORT_SECONDS = _histogram(
    "report_duration_seconds", "How long it takes to match a report and commit it.", "connection"
)
INBOUND = _counter("inbound_messages", "Messages from phones: mms, sms, or repeated.", "connection", "kind")

CONNECTION_STATE = _gauge(
    "connection_state",
    "1 for the state in which a connection is: up, down (an SMSC: not bound) or paused.",
    "connection",
    "state",
)
IN_FLIGHT = _gauge("connection_in_flight", "Submits under way to an MMSC.", "connection")
WINDOW = _gauge("connection_window", "Submits that may be under way to an MMSC at once.", "connection")
RATE_LIMIT = _gauge(
    "connection_rate_limit",
    "Submits a second that are allowed now: the profile's rate, less while the carrier wants it slower; 0: no "
    "limit. What is used is rate(mmsgate_submits_total).",
    "connection",
)  # fmt: skip
LEASES = _gauge("leases", "Messages that this process has in hand.", "connection")
BACKLOG = _gauge("backlog_messages", "Messages that wait for their turn; 100,000 may be more.", "connection")
BACKLOG_AGE = _gauge(
    "backlog_oldest_seconds", "How long the oldest of them has been due; 0 if it is not yet.", "connection"
)
POSTBACK_BACKLOG = _gauge("postback_backlog", "Postbacks that wait or are being sent.")
POSTBACK_AGE = _gauge("postback_backlog_oldest_seconds", "How long the oldest of them has been due.")
ORPHANS = _gauge("orphaned_reports", "Reports that are kept and have found no message.")
ALARMS = _gauge("alarms", "Alarms that are open: mmsgate doctor shows them.")

FETCHES = _counter("media_fetches", "Requests to the origins of media, revalidations included.")
REVALIDATIONS = _counter("media_revalidations", "Of those, answered with HTTP 304.")
FETCH_HITS = _counter("media_cache_hits", "Media had without a request of their own to the origin.")
DECODES = _counter("media_decodes", "Files that were decoded to be checked.")
ADAPTATIONS = _counter("media_encodes", "Versions of pictures, sounds and videos that were made.")
CONTENT_ENCODES = _counter("content_encodes", "Contents encoded to MM7.")

COMMITS = Metric(
    name="mmsgate_store_commit_duration_seconds", kind=Kind.SUMMARY,
    about="Transactions, and how long they took, their statements included.",
)  # fmt: skip
WRITES = _counter("store_writes", "Writes in them; by the number of transactions: the size of a batch.")
STATEMENTS = _counter("store_statements", "Statements of SQL, reads included: one for each set of parameters.")
ROUND_TRIPS = _counter(
    "store_round_trips",
    "How often PostgreSQL was asked: statements that wait together travel together. 0 with SQLite.",
)

LAG = _histogram("event_loop_lag_seconds", "How much later than asked for the event loop wakes a task.")
SCRAPE_FAULTS = _counter(
    "scrape_faults", "Sources of numbers that could not be read, and are missing in a scrape.", "source"
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))

_HEAD = """# Metrics

What `/metrics` on `ops_port` shows; `python -m mmsgate.ops.catalogue` prints this page. How to scrape it and what
to alarm on: [monitor](../how-to/monitor.md). Counters and histograms begin at 0 when the process starts, and each
process shows its own. Backlogs, orphans and alarms are the store's: every process that shows them shows the same.

A connection is a carrier profile or an SMSC. No label ever holds a phone number, an account or a message's id.

| metric | kind | labels | what it says |
|---|---|---|---|
"""
_TAIL = """
Beside these there are those of every Python process: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
`process_open_fds`, `process_start_time_seconds`, `python_gc_collections_total`, `python_info` and their kin.
"""


def page() -> str:
    """The page of the documentation."""
    return _HEAD + "".join(_rows()) + _TAIL


def _rows() -> Iterable[str]:
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.exposed}` | {metric.kind} | {labels} | {metric.about} |\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  that is what it is for
