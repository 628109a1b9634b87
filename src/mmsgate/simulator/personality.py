"""Whom the simulated MMSC plays: the dialects and the bugs of the MM7 peers page, one row each.

A personality says what is demanded of a request, what is made of its content, how it is answered and how it is
reported. A profile chooses one by its endpoint, ``/mm7/NAME``; plain ``/mm7`` is strict, or whom the port plays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import NAMESPACE_OID, uuid5

from mmsgate.clock import MINUTE
from mmsgate.mm7.address import Address, read_addresses
from mmsgate.mm7.envelope import Schema
from mmsgate.mm7.parts import content_parts
from mmsgate.mm7.received import SubmitReqReceived, Unpack
from mmsgate.mm7.xml import child
from mmsgate.simulator import rules, sinch
from mmsgate.simulator.answers import Answers
from mmsgate.simulator.report_style import ReportStyle, Transaction, When
from mmsgate.simulator.rules import BASIC, LENGTH, READABLE, STRICT, VALID, Rule
from mmsgate.simulator.unpacking import as_they_are, only_named
from mmsgate.simulator.writing import Charset, Packing, Writing

_REL_5_0 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-0"
_REL_5_2 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-2"


def _everyone(submit: SubmitReqReceived) -> tuple[Address, ...]:
    return submit.recipients


def _last_of_to(submit: SubmitReqReceived) -> tuple[Address, ...]:
    """Of several Numbers in To the last, of Cc and Bcc nobody."""
    return read_addresses(child(submit.node, "Recipients", "To"))[-1:]


def _with_a_letter(number: int) -> str:
    return f"a{number:x}"  # so that 0111 can change its case


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """One kind of MMSC.

    `rules` are judged in order. `unpack` takes the content from the parts, `recipients` those who get the message
    from those that it names. `message_id` makes a MessageID of a number that grows.
    """

    name: str
    title: str
    rules: tuple[Rule, ...] = STRICT
    unpack: Unpack = content_parts
    recipients: Callable[[SubmitReqReceived], tuple[Address, ...]] = _everyone
    message_id: Callable[[int], str] = _with_a_letter
    answers: Answers = field(default_factory=Answers)
    reports: ReportStyle = field(default_factory=ReportStyle)


_STRICT = Personality(
    name="3gpp", title="the standard to the letter: Basic, Content-Length, the order of the elements"
)

_KANNEL = Writing(peer="mbuni", content_type="text/xml")
_MBUNI = Personality(
    name="mbuni",
    title="Mbuni: of flat parts only the one that Content names survives; faults with HTTP 200; reports swapped",
    rules=(BASIC, *READABLE),
    unpack=only_named,
    message_id="5-t6-qf{:x}.1.x78.37@mmsc".format,
    answers=Answers(
        writing=_KANNEL,
        faults=True,
        headers=(("Server", "Kannel/1.4.5"), ("Connection", "Keep-Alive"), ("SOAPAction", '""')),
    ),
    reports=ReportStyle(writing=_KANNEL, transaction=Transaction.MESSAGE_ID, swapped=True, plus=True),
)

_GO = Writing(peer="vectorcore", schema=Schema(namespace=_REL_5_0, version="5.3.0"))
_VECTORCORE = Personality(
    name="vectorcore",
    title="VectorCore: the SOAP part first, nothing unpacked or decoded, one recipient; faults as HTTP 4xx or 502",
    rules=(
        *READABLE,
        Rule(test=rules.soap_not_first, code=2007, text="Message format corrupt"),
        Rule(test=rules.user_is_not_the_vaspid, code=2004, text="authentication failed", http=401),
    ),
    unpack=as_they_are,
    recipients=_last_of_to,
    message_id=lambda number: str(uuid5(NAMESPACE_OID, str(number))),
    answers=Answers(
        writing=_GO, faults=True, http={2: 400, 3: 502, 4: 502, 2005: 404, 4003: 400}, code_header=True, headers=()
    ),
    reports=ReportStyle(
        writing=_GO,
        when=When.ALWAYS,
        transaction=Transaction.SUBMIT,
        plus=True,
        reads={"Deferred": "Retrieved"},
        texts={"Retrieved": "Message delivered", "Expired": "Message expired", "Rejected": "Message rejected"},
        headers=(("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip")),
        retries=(),
    ),
)

_SINCH = Personality(
    name="sinch",
    title="Sinch's MM7 service: the VASPID is the key, codes of its own (25xx), SMIL required",
    rules=sinch.RULES,
    recipients=sinch.real_recipient,
    message_id="{:018d}".format,
    answers=Answers(
        writing=Writing(content_type="application/xml; charset=utf-8"),
        text="Successfully parsed and validated request",
        faults=True,
    ),
    reports=ReportStyle(
        writing=Writing(packing=Packing.CLAIMED),
        when=When.UNLESS_DECLINED,
        texts={"Retrieved": "Success"}
        | {
            word: word
            for word in (
                "Deferred",
                "Expired",
                "Forwarded",
                "Indeterminate",
                "NotSupported",
                "Rejected",
                "Unreachable",
            )
        },
        carrier_header=sinch.CARRIER_HEADERS[0].title(),
        retries=(5 * MINUTE,) * 5,
        checked=True,
    ),
)


def _writes(name: str, title: str, writing: Writing) -> Personality:
    """The standard, written so in answers and reports."""
    answers, reports = Answers(writing=writing), ReportStyle(writing=writing)
    return replace(_STRICT, name=name, title=title, answers=answers, reports=reports)


def _demands(name: str, title: str, *more: Rule) -> Personality:
    """The standard, and something more."""
    return replace(_STRICT, name=name, title=title, rules=(*STRICT, *more))


_FOREIGN_COLONS = (("<env:Header>", "<soap-env::Header>"), ("</env:Header>", "</soap-env::Header>"))

_ROWS = (
    _STRICT,
    _MBUNI,
    _VECTORCORE,
    _SINCH,
    _demands("alnum-boundary", "breaks on a boundary with more than letters and digits, or longer than 40",
             Rule(test=rules.odd_boundary, code=2007)),
    _demands("version-bug", "demands MM7Version 5.3.0 under the namespace of 5.5.0",
             Rule(test=partial(rules.other_version, namespace=_REL_5_2, version="5.3.0"), code=4002)),
    _demands("nested-only", "demands the content in a multipart of its own", Rule(test=rules.flat, code=4004)),
    _demands("flat-only", "demands the parts beside the SOAP part", Rule(test=rules.nested, code=4004)),
    _demands("no-base64", "refuses parts encoded as base64", Rule(test=rules.base64, code=4004)),
    replace(_STRICT, name="header-auth", title=f"wants the password in {rules.KEY_HEADER.title()}, and no VASPID",
            rules=(Rule(test=rules.no_key, http=401), LENGTH, *READABLE, VALID,
                   Rule(test=rules.has_vaspid, code=4004, text="Validation error"))),
    replace(_STRICT, name="no-auth", title="takes everybody", rules=(LENGTH, *READABLE, VALID)),
    replace(_STRICT, name="empty-200", title="accepts with an empty HTTP 200", answers=Answers(empty=True)),
    replace(_STRICT, name="http-faults", title="faults come with HTTP 500, as SOAP 1.1 wants it",
            answers=Answers(faults=True, http={2: 500, 3: 500, 4: 500})),
    _writes("xml-type", "answers and reports as application/xml", Writing(content_type="application/xml")),
    _writes("utf16", "writes UTF-16",
            Writing(charset=Charset.UTF_16, content_type="text/xml; charset=utf-16")),
    _writes("utf16-declared", "declares UTF-16 and writes UTF-8", Writing(charset=Charset.UTF_16_DECLARED)),
    _writes("double-colon", "writes <soap-env::Header>", Writing(misspelt=_FOREIGN_COLONS)),
    _writes("multipart-answer", "writes a multipart with start=\"<…>\" around its envelope",
            Writing(packing=Packing.MULTIPART)),
    _writes("bare-start", "the same with start=\"…\", without brackets", Writing(packing=Packing.UNBRACKETED)),
    _writes("bare-envelope", "writes a bare envelope and calls it multipart/related",
            Writing(packing=Packing.CLAIMED)),
)  # fmt: skip

PERSONALITIES: dict[str, Personality] = {row.name: row for row in _ROWS}
STANDARD = _STRICT


def personality(name: str) -> Personality:
    """The personality of that name. Raises ValueError that lists them."""
    if name not in PERSONALITIES:
        raise ValueError(f"there is no personality {name!r}: there are {', '.join(PERSONALITIES)}")
    return PERSONALITIES[name]
