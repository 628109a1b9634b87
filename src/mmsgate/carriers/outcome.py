"""What came of a submit, as a value (MM7 wire page, "Status codes": the table below in the same order)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import assert_never

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import Millis
from mmsgate.http.outcome import Answered, Lost, NotSent, PostOutcome
from mmsgate.mm7.answer import SubmitAnswer, read_submit_response
from mmsgate.mm7.multipart import parse_content_type
from mmsgate.mm7.status import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The carrier took it. `message_id` is empty where it gave none; such a message is not sent again."""

    message_id: str
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecipient:
    """Final: the number is wrong, or the carrier denies it. `opted_out`: its owner wants no messages (R-22)."""

    code: int
    text: str
    opted_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedContent:
    """The carrier does not want this content: a smaller rendition or the SMS may do (R-12).

    `for_size` says that its size may be the reason: the carrier says so, or gives no other reason.
    """

    code: int
    text: str
    for_size: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OurFault:
    """Final: the carrier does not accept what we write. An operator has to look: `raw` is its answer."""

    code: int | None
    text: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The carrier refuses us (credentials, rights): the connection waits, the queue with it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Temporary:
    """Not now. `after` is when the carrier wants to be asked again, if it said so.

    `throttled` says that we are too fast for it, `down` that its server could not be reached or does not work.
    """

    text: str
    code: int | None = None
    after: Millis | None = None
    throttled: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The body left and no answer came that says what became of it (R-19). `down`: no answer came at all."""

    text: str
    down: bool = False


SubmitOutcome = Accepted | RefusedRecipient | RefusedContent | OurFault | Paused | Temporary | Unknown

_RECIPIENT = frozenset({2002, 2003, 4007})
_CONTENT = frozenset({2004})
_PAUSE = frozenset({2001, 4001})
_TOO_FAST = 3510  # "Throughput exceeded": not of the standard, but what MM7 services answer
_NOBODY_THERE = frozenset({404, 405, 410})  # the whole queue would fail for a mistyped URL
_NAMES = {
    "accepted": Accepted,
    "recipient": RefusedRecipient,
    "opted-out": RefusedRecipient,
    "content": RefusedContent,
    "size": RefusedContent,
    "our-fault": OurFault,
    "pause": Paused,
    "temporary": Temporary,
    "throttled": Temporary,
}


def outcome_of(posted: PostOutcome, profile: CarrierProfile) -> SubmitOutcome:
    """What a post to the carrier came to."""
    match posted:
        case NotSent(reason=reason):
            return Temporary(text=f"not sent: {reason}", down=True)
        case Lost(reason=reason):
            text = f"the connection was lost after the body had begun to leave: {reason}"
            return Unknown(text=text, down=True)
        case Answered() if _is_answer(posted, profile):
            answer = read_submit_response(posted.status, posted.headers, posted.body)
            return _of_answer(answer, profile, posted)
        case Answered():
            return _of_answer(SubmitAnswer(http_status=posted.status), profile, posted)
        case _:
            assert_never(posted)


def _is_answer(posted: Answered, profile: CarrierProfile) -> bool:
    """Whether a body of that type is the carrier's at all, and not that of a proxy before it."""
    types = profile.answers.types
    mime = parse_content_type(posted.headers.get("content-type", "")).mime
    return not types or not posted.body.strip() or mime in types


def _of_answer(answer: SubmitAnswer, profile: CarrierProfile, posted: Answered) -> SubmitOutcome:
    if posted.status in {401, 403}:
        return Paused(text=f"HTTP {posted.status}: the carrier refuses our credentials")
    if posted.status == 429:
        return Temporary(text="HTTP 429: too many requests", after=_retry_after(posted), throttled=True)
    if posted.status >= 500 and answer.status_code is None:
        return Temporary(text=f"HTTP {posted.status}", after=_retry_after(posted), down=True)
    if answer.status_code is None:
        return _without_code(answer, profile, posted)
    return _of_code(answer.status_code, answer, profile, _retry_after(posted))


def _without_code(answer: SubmitAnswer, profile: CarrierProfile, posted: Answered) -> SubmitOutcome:
    if 300 <= posted.status < 400 or posted.status in _NOBODY_THERE:
        return Paused(text=f"HTTP {posted.status}: there is no MM7 server at this address")
    if posted.status >= 300:
        return OurFault(code=None, text=f"HTTP {posted.status} without an MM7 status", raw=answer.excerpt)
    empty = not posted.body.strip()
    if empty and profile.answers.empty_accepts:
        return Accepted(message_id="", code=1000, text="empty answer, which this carrier means as accepted")
    what = "an empty answer" if empty else "an answer without a status code"
    return Unknown(text=f"HTTP {posted.status} with {what}")


def _of_code(code: int, answer: SubmitAnswer, profile: CarrierProfile, after: Millis | None) -> SubmitOutcome:
    text = f"{code} {answer.status_text}".strip() + (f" ({answer.details})" if answer.details else "")
    kind = _NAMES.get(profile.answers.codes.get(code, "")) or _default(canonical(code))
    if kind is Accepted:
        return Accepted(message_id=answer.message_id or "", code=code, text=text)
    if kind is RefusedRecipient:
        opted_out = profile.answers.codes.get(code) == "opted-out"
        return RefusedRecipient(code=code, text=text, opted_out=opted_out)
    if kind is RefusedContent:
        for_size = profile.answers.codes.get(code) == "size" or _speaks_of_size(answer)
        return RefusedContent(code=code, text=text, for_size=for_size)
    if kind is Paused:
        return Paused(text=text)
    if kind is Temporary:
        throttled = code == _TOO_FAST or profile.answers.codes.get(code) == "throttled"
        return Temporary(text=text, code=code, after=after, throttled=throttled)
    return OurFault(code=code, text=text, raw=answer.excerpt)


_SIZE = re.compile(r"\b(?:size|larger?|big|bigger|long|exceed\w*|limit\w*|bytes|[km]i?b)\b", re.IGNORECASE)
#: What the standard and its users call status 2004 (TS 23.140 8.7.8.4): no reason of its own.
_NO_REASON = frozenset({"", "multimedia content refused", "multimedia refused", "content refused"})


def _speaks_of_size(answer: SubmitAnswer) -> bool:
    said = f"{answer.status_text} {answer.details or ''}".strip().rstrip(".").lower()
    return said in _NO_REASON or _SIZE.search(said) is not None


def _default(code: int) -> type[SubmitOutcome]:
    if code in {1000, 1100}:
        return Accepted
    if code in _RECIPIENT:
        return RefusedRecipient
    if code in _CONTENT:
        return RefusedContent
    if code in _PAUSE:
        return Paused
    if code // 1000 == 3 or code in {4000, 4006}:
        return Temporary
    return OurFault


#: Retry-After is believed up to so many seconds, a good day.
_LONGEST_AFTER = 99_999


def _retry_after(posted: Answered) -> Millis | None:
    """Retry-After (RFC 9110 10.2.3): seconds, or a date, which counts from the answer's own date."""
    value = posted.headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        seconds = int(value) if len(value) < 6 else None
    else:
        then, now = _date(value), _date(posted.headers.get("date", ""))
        seconds = max(0, round((then - now).total_seconds())) if then and now else None
    return None if seconds is None or seconds > _LONGEST_AFTER else seconds * 1000


def _date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110 5.6.7); None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
