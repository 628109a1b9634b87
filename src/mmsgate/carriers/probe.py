"""A look at a carrier's connection for people: what was sent, what came back, and what it means.

The request is written and posted as every other one is (`Mm7Client`), and its answer read in the same way.
"""

import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import assert_never

from mmsgate.carriers.client import Exchange, Mm7Client
from mmsgate.carriers.files import MASK
from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Temporary,
    Unknown,
    outcome_of,
)
from mmsgate.carriers.profile import Auth, AuthKind, CarrierProfile, Gives
from mmsgate.carriers.tls import client_context
from mmsgate.clock import HOUR, Clock, spoken
from mmsgate.domain.number import SenderType
from mmsgate.domain.slide import Slide
from mmsgate.http import Answered, HttpClient
from mmsgate.http.knock import Knocked, knock
from mmsgate.mm7.content import encode_content
from mmsgate.mm7.submit import SubmitReq
from mmsgate.mm7.xml import decode

#: Nobody has this number: country codes don't begin with a zero (ITU-T E.164 6.2.1).
NOBODY = "000000000000"
TEXT = "A test by mmsgate"

_SHOWN = 3_000  # characters of an answer
_VASPID = re.compile(r"(<(?:\w+:)?VASPID>)[^<]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose number the probe is sent from, and to whom (by default `NOBODY`)."""

    sender: str
    sender_type: SenderType = SenderType.SHORT_CODE
    service: str = ""
    recipient: str = NOBODY

    @property
    def is_test(self) -> bool:
        """Whether it can reach nobody."""
        return self.recipient == NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What the probe came to. `sent` and `answer` are what went over the wire, secrets masked."""

    fine: bool
    sent: str
    answer: str
    outcome: str
    fate: str
    hints: tuple[str, ...]


async def look(profile: CarrierProfile, *, clock: Clock) -> AsyncIterator[tuple[str, Knocked]]:
    """The steps towards each endpoint. Raises ValueError if the profile's certificate can't be used."""
    tls = client_context(profile.auth)
    for endpoint in profile.endpoints:
        async for step in knock(endpoint, now=clock.now(), tls=tls):
            yield endpoint, step


async def probe(profile: CarrierProfile, caller: Caller, *, http: HttpClient, clock: Clock) -> Probed:
    """Post one small message, and explain what came of it."""
    client = Mm7Client(profile, http, clock)
    try:
        exchange = await client.exchange(
            _request(caller, clock),
            encode_content(
                (Slide(text=TEXT),), {}, dialect=profile.mm7, content_id="1", token=lambda: secrets.token_hex(12)
            ),
            operator=min(profile.reach.operators - {"*"}, default=""),
        )
    finally:
        await client.close()
    outcome = outcome_of(exchange.posted, profile)
    fine = isinstance(outcome, Accepted) or (caller.is_test and isinstance(outcome, RefusedRecipient))
    return Probed(
        fine=fine,
        sent=_sent(exchange, profile.auth),
        answer=_answer(exchange),
        outcome=_in_words(outcome, caller),
        fate=_fate(outcome, profile),
        hints=() if fine else tuple(_hints(exchange, outcome)),
    )


def _request(caller: Caller, clock: Clock) -> SubmitReq:
    """No report is asked for: it would belong to no message."""
    now = clock.now()
    return SubmitReq(
        transaction_id=f"check-{now}", sender=caller.sender, sender_type=caller.sender_type,
        service=caller.service, recipient=caller.recipient, timestamp=now, expiry=now + HOUR,
        delivery_report=False, subject="mmsgate carrier check",
    )  # fmt: skip


# -- what went over the wire


def _sent(exchange: Exchange, auth: Auth) -> str:
    secret = {"authorization", auth.header.lower()} if auth.kind is AuthKind.HEADER else {"authorization"}
    lines = [f"POST {exchange.endpoint}"]
    for name, value in exchange.request.headers.items():
        lines.append(f"{name}: {MASK if name.lower() in secret else value}")
    soap = exchange.request.buffers[0].decode()
    rest = exchange.request.length - len(exchange.request.buffers[0])
    lines += ["", _VASPID.sub(rf"\g<1>{MASK}", soap), f"[and {rest:,} bytes of content]"]
    return "\n".join(lines).replace("\r\n", "\n")


def _answer(exchange: Exchange) -> str:
    posted = exchange.posted
    if not isinstance(posted, Answered):
        return posted.reason
    text = decode(posted.body)
    cut = f"\n[and {len(text) - _SHOWN:,} characters]" if len(text) > _SHOWN else ""
    head = [f"HTTP {posted.status}", *(f"{name}: {value}" for name, value in posted.headers.items())]
    return "\n".join([*head, "", text[:_SHOWN] + cut]).replace("\r\n", "\n").rstrip()


# -- what it means


def _in_words(outcome: SubmitOutcome, caller: Caller) -> str:
    match outcome:
        case Accepted(message_id=message_id):
            named = f"accepted as {message_id}" if message_id else "accepted, without a MessageID"
            return f"{named}; this carrier looks at recipients later" if caller.is_test else named
        case RefusedRecipient(text=text) if caller.is_test:
            return f"the recipient was refused, as it should be, and nothing else: {text}"
        case RefusedRecipient(text=text):
            return f"the recipient was refused: {text}"
        case RefusedContent(text=text):
            return f"the content was refused: {text}"
        case OurFault(text=text):
            return f"what we write was refused: {text}"
        case Paused(text=text):
            return f"we are refused: {text}"
        case Temporary(text=text):
            return f"not now: {text}"
        case Unknown(text=text):
            return f"unknown: {text}"
        case _:
            assert_never(outcome)


def _fate(outcome: SubmitOutcome, profile: CarrierProfile) -> str:
    """What would become of a customer's message with that answer."""
    match outcome:
        case Accepted():
            waits = f"wait up to {spoken(profile.reports.wait)} for its report"
            return f"it would be sent, and {'be done' if profile.reports.gives is Gives.NONE else waits}"
        case RefusedRecipient():
            return "it would fail with E101"
        case RefusedContent(for_size=for_size):
            return "a smaller version would be tried, then the fallback SMS" if for_size else "the SMS would follow"
        case OurFault():
            return "it would fail with E101, and an alarm be raised"
        case Paused():
            return "it would wait with all others: the connection would be paused, and an alarm raised"
        case Temporary():
            return "it would be tried again until it expires"
        case Unknown():
            wait, then = spoken(profile.answers.unknown_wait), profile.answers.on_unknown
            return f"a report could settle it for {wait}, then on_unknown = {then} counts"
        case _:
            assert_never(outcome)


def _hints(exchange: Exchange, outcome: SubmitOutcome) -> list[str]:
    """What is usually wrong in such a case."""
    posted = exchange.posted
    code = getattr(outcome, "code", None)
    if not isinstance(posted, Answered):
        return ["see the steps above; a firewall may let the connection through and drop the request"]
    found = [hint for applies, hint in _HINTS if applies(posted)]
    if code in _CODE_HINTS:
        found.append(_CODE_HINTS[code])
    return found or ["show the carrier's support what was sent and what it answered"]


def _is_html(posted: Answered) -> bool:
    return "html" in posted.headers.get("content-type", "") or b"<html" in posted.body[:500].lower()


_HINTS: tuple[tuple[Callable[[Answered], bool], str], ...] = (
    (
        lambda posted: posted.status in {401, 403},
        "credentials: auth.kind, auth.username, auth.password; or this host's address is not on the carrier's list",
    ),
    (
        lambda posted: posted.status == 404,
        "the path of the URL in endpoints: the server is there, the service isn't",
    ),
    (lambda posted: posted.status == 405, "the URL in endpoints: this one takes no POST"),
    (
        lambda posted: 300 <= posted.status < 400,
        "redirects are not followed: write the address that it points to into endpoints",
    ),
    (lambda posted: posted.status == 415, "the Content-Type or SOAPAction: try mm7.soap_action, mm7.start"),
    (_is_html, "a web page answered: a proxy, a portal or a wrong path, no MM7 server"),
    (
        lambda posted: posted.status < 300 and not posted.body.strip(),
        "an empty answer: if this carrier accepts in that way, set answers.empty_accepts = true",
    ),
)

_SHAPE = "mm7.layout (nested, flat), mm7.inner (related, mixed), mm7.encoding (binary, base64) and mm7.smil_refs"
_VERSIONS = "mm7.namespace and mm7.mm7_version: ask the carrier which schema it takes"
_IDENTITY = "mm7.vaspid and mm7.vasid, and whether the sender (--from) is provisioned"
_CODE_HINTS = {
    2000: f"the address of this host may not be on the carrier's list; else {_VERSIONS}",
    2001: _IDENTITY,
    2007: f"it could not read the message: {_SHAPE}; {_VERSIONS}",
    2505: _VERSIONS,
    2507: _VERSIONS,
    2513: f"it could not read the content: {_SHAPE}",
    2562: _IDENTITY,
    2563: _IDENTITY,
    2564: _IDENTITY,
    4001: _IDENTITY,
    4002: _VERSIONS,
    4003: _VERSIONS,
    4004: f"it did not like the content or an element: {_SHAPE}; mm7.omissions for elements that it doesn't know",
}
