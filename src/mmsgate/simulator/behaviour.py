"""What the simulated carrier and handset do for each recipient: one table, chosen by the last four digits.

The rows are the simulator page's. A new recipient is a new row; nothing else in this room names a number.
Delays are milliseconds of the simulated carrier's time; the simulator's `speed` divides them.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.clock import SECOND, Millis
from mmsgate.domain.number import normalise
from mmsgate.simulator.handset import ANDROID, PLAIN, USUAL, Handset

#: "More than 300 KB decoded", recipient 0106.
SIZE_LIMIT = 300 * 1024

ESME_RINVDSTADR = 0x0B
ESME_RTHROTTLED = 0x58


class Ending(StrEnum):
    """How the MMSC's answer to a SubmitReq that it took leaves the wire."""

    ANSWERED = "answered"
    CUT = "cut"  # the connection closes after the body, without a byte of answer
    EMPTY = "empty"  # HTTP 200 without a body


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a refusal may depend on: how often it was tried, for how long, and with what."""

    attempt: int  # 1-based, of this message (by TransactionID) to this recipient
    elapsed: Millis  # since the first attempt of any message to this recipient
    size: int  # decoded bytes of the content
    video: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal and its conditions; one that is None does not count.

    `attempts`: only the first so many attempts of a message. `lasting`: only so long after the first attempt to
    the recipient. `over`: only content of more decoded bytes. `video`: only content with a video. `fault`: as
    a SOAP Fault instead of a SubmitRsp. `http` other than 200 is answered without SOAP.
    """

    code: int = 0
    text: str = ""
    http: int = 200
    fault: bool = False
    attempts: int | None = None
    lasting: Millis | None = None
    over: int | None = None
    video: bool = False

    def applies(self, tried: Attempt) -> bool:
        """Whether this attempt is refused."""
        return not (
            (self.attempts is not None and tried.attempt > self.attempts)
            or (self.lasting is not None and tried.elapsed >= self.lasting)
            or (self.over is not None and tried.size <= self.over)
            or (self.video and not tried.video)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One DeliveryReportReq, `after` so many milliseconds.

    `altered_id`: the MessageID in capitals with a leading zero. `swapped`: Recipient and Sender change places.
    `plmn`: numbers as ``+1…/TYPE=PLMN``. `by_number`: without MessageID. `ua_prof`: what UACapabilities says.
    """

    status: str
    after: Millis = 0
    altered_id: bool = False
    swapped: bool = False
    plmn: bool = False
    by_number: bool = False
    ua_prof: str | None = None


RETRIEVED = Report(status="Retrieved")


@dataclass(frozen=True, slots=True, kw_only=True)
class MmsBehaviour:
    """What happens to an MMS: refused, or taken with `code`, ended so, and reported so.

    `shown` says that the phone shows it; `report_first` that the reports leave before the answer.
    """

    refusal: Refusal | None = None
    code: int = 1000
    ending: Ending = Ending.ANSWERED
    message_id: bool = True
    report_first: bool = False
    reports: tuple[Report, ...] = (RETRIEVED,)
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsBehaviour:
    """What happens to an SMS: refused with a command status (for so long, or always), or taken.

    `state` is the receipt's, `last_part_fails` makes it UNDELIV for the last part alone. `decimal_receipt`: the
    response gives the id in hexadecimal, the receipt in decimal. `receipt_first`: before the response.
    """

    refuse: int = 0
    refuse_for: Millis | None = None
    state: str = "DELIVRD"
    last_part_fails: bool = False
    decimal_receipt: bool = False
    receipt_first: bool = False
    receipt_after: Millis = 200

    def refuses(self, elapsed: Millis) -> bool:
        """Whether a submit_sm is refused, `elapsed` after the first one to the recipient."""
        return self.refuse != 0 and (self.refuse_for is None or elapsed < self.refuse_for)

    def state_of(self, part: int, parts: int) -> str:
        """The receipt's state for part `part` (1-based) of `parts`."""
        return "UNDELIV" if self.last_part_fails and part == parts else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the phone's owner sends back for each MMS, `after` so many milliseconds. An SMS is never answered: else
    a confirmation would be.

    `sms`: as an SMS, else as an MMS. `picture`: with one. `ucs2`: in UCS-2 though GSM-7 would do. `twice`: the
    carrier brings it twice.
    """

    text: str
    after: Millis = SECOND
    sms: bool = False
    picture: bool = False
    ucs2: bool = False
    twice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One row of the table. `digits` is empty in the row of all other numbers. `handset` is the kind of phone."""

    digits: str
    title: str
    mms: MmsBehaviour = field(default_factory=MmsBehaviour)
    sms: SmsBehaviour = field(default_factory=SmsBehaviour)
    handset: Handset = USUAL
    reply: Reply | None = None


def _row(digits: str, title: str, mms: MmsBehaviour | None = None, sms: SmsBehaviour | None = None) -> Behaviour:
    return Behaviour(digits=digits, title=title, mms=mms or MmsBehaviour(), sms=sms or SmsBehaviour())


def _reports(*reports: Report, shown: bool = True) -> MmsBehaviour:
    return MmsBehaviour(reports=reports, shown=shown)


def _says(status: str, after: Millis = SECOND) -> Report:
    return Report(status=status, after=after)


def _refused(code: int, text: str) -> MmsBehaviour:
    return MmsBehaviour(refusal=Refusal(code=code, text=text))


_NO_MMS = _refused(2004, "Multimedia content refused: the handset takes no MMS")
_THROTTLED = Refusal(code=3510, text="Throttled: too many messages", lasting=5 * SECOND)
_TOO_LARGE = Refusal(
    code=2004, text=f"Multimedia content refused: larger than {SIZE_LIMIT} bytes decoded", over=SIZE_LIMIT
)
_NO_VIDEO = Refusal(code=2004, text="Multimedia content refused: video not supported", video=True)
_HANDSET = Report(
    status="Retrieved",
    swapped=True,
    plmn=True,
    ua_prof="http://uaprof.example/phones/Nokia6630.xml",
)

# fmt: off
_ROWS = (
    _row("0100", "Takes it, Retrieved after 1 s", _reports(_says("Retrieved"))),
    _row("0101", "Switched off for a minute: Retrieved after 60 s", _reports(_says("Retrieved", 60 * SECOND))),
    _row("0102", "Forwarded, then silence", _reports(_says("Forwarded"))),
    _row("0103", "No such subscriber: 2002 address error", _refused(2002, "Address error")),
    _row("0104", "Never switched on: Expired report", _reports(_says("Expired"), shown=False)),
    _row("0105", "Handset without MMS: NotSupported report", _reports(_says("NotSupported"), shown=False)),
    _row("0106", "Refuses more than 300 KB (2004)", MmsBehaviour(refusal=_TOO_LARGE)),
    _row("0107", "Server error (3000) twice, then takes it",
         MmsBehaviour(refusal=Refusal(code=3000, text="Server error", attempts=2))),
    _row("0108", "Connection cut after the body, Retrieved 5 s later",
         MmsBehaviour(ending=Ending.CUT, reports=(_says("Retrieved", 5 * SECOND),))),
    _row("0109", "The same report twice", _reports(RETRIEVED, _says("Retrieved", 200))),
    _row("0110", "The report before the SubmitRsp", MmsBehaviour(report_first=True)),
    _row("0111", "The report's MessageID in capitals with a leading zero",
         _reports(Report(status="Retrieved", altered_id=True))),
    _row("0112", "Throttled (3510) for 5 s", MmsBehaviour(refusal=_THROTTLED)),
    Behaviour(digits="0113", title="Replies with a picture", reply=Reply(text="Look at this!", picture=True)),
    _row("0114", "Blocked by the demo account; this phone itself takes everything"),
    _row("0115", "HTTP 200 with an empty body, no report", MmsBehaviour(ending=Ending.EMPTY, reports=())),
    _row("0116", "Service denied (4007)", _refused(4007, "Service denied")),
    _row("0117", "HTTP 401 for 10 s, then right again",
         MmsBehaviour(refusal=Refusal(http=401, lasting=10 * SECOND))),
    _row("0118", "Refuses any video (2004)", MmsBehaviour(refusal=_NO_VIDEO)),
    _row("0119", "Validation error (4004)",
         MmsBehaviour(refusal=Refusal(code=4004, text="Validation error", fault=True))),
    _row("0120", "Partial success (1100)", MmsBehaviour(code=1100)),
    _row("0121", "Success without MessageID, report by number only",
         MmsBehaviour(message_id=False, reports=(Report(status="Retrieved", by_number=True),))),
    _row("0122", "Connection cut after the body, never a report",
         MmsBehaviour(ending=Ending.CUT, reports=())),
    _row("0123", "Rejected by the handset", _reports(_says("Rejected"), shown=False)),
    _row("0124", "Unrecognised by the handset", _reports(_says("Unrecognised"), shown=False)),
    _row("0125", "Deferred, Forwarded, then Retrieved",
         _reports(_says("Deferred", 200), _says("Forwarded", 600), _says("Retrieved"))),
    _row("0126", "Indeterminate report", _reports(_says("Indeterminate"))),
    _row("0127", "No report ever", _reports()),
    _row("0128", "Report with UAProf, swapped addresses, /TYPE=PLMN", _reports(_HANDSET)),
    _row("0130", "No MMS; the SMS stays undelivered (UNDELIV)", _NO_MMS, SmsBehaviour(state="UNDELIV")),
    _row("0131", "No MMS; the last part of the SMS fails", _NO_MMS, SmsBehaviour(last_part_fails=True)),
    _row("0132", "No MMS; SMS id in hex, its receipt in decimal", _NO_MMS, SmsBehaviour(decimal_receipt=True)),
    _row("0133", "No MMS; the SMS receipt before the response", _NO_MMS, SmsBehaviour(receipt_first=True)),
    _row("0134", "No MMS; SMS throttled (ESME_RTHROTTLED) for 5 s", _NO_MMS,
         SmsBehaviour(refuse=ESME_RTHROTTLED, refuse_for=5 * SECOND)),
    _row("0135", "No MMS, and the SMS is refused too", _NO_MMS, SmsBehaviour(refuse=ESME_RINVDSTADR)),
    Behaviour(digits="0136", title="Sends STOP by SMS", reply=Reply(text="STOP", sms=True)),
    Behaviour(digits="0137", title="Sends “opt out” by SMS, in UCS-2",
              reply=Reply(text="opt out", sms=True, ucs2=True)),
    Behaviour(digits="0138", title="Sends HELP by SMS", reply=Reply(text="HELP", sms=True)),
    Behaviour(digits="0139", title="Replies with an MMS that comes twice",
              reply=Reply(text="Once is enough", twice=True)),
    Behaviour(digits="0140", title="Ignores SMIL: shows the parts in the order they came", handset=PLAIN),
    Behaviour(digits="0141", title="As strict as Android: says what it does not show", handset=ANDROID),
)
# fmt: on

TABLE: dict[str, Behaviour] = {row.digits: row for row in _ROWS}
ANY_OTHER = _row("", "Takes everything, Retrieved at once")


def behaviour_of(number: str) -> Behaviour:
    """The row of this recipient: by its last four digits, else the row of all other numbers."""
    return TABLE.get(normalise(number)[-4:], ANY_OTHER)
