"""The shipped profiles on the wire: one message in each dialect, and each peer's answer as its profile reads it.

The answers in ``tests/golden/mm7/peers`` are captures of real MMSCs, and what vendors' notes say of others.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.files import read_profile, shipped
from mmsgate.carriers.outcome import (
    Accepted,
    OurFault,
    Paused,
    RefusedContent,
    RefusedRecipient,
    SubmitOutcome,
    Unknown,
    outcome_of,
)
from mmsgate.carriers.profile import Answers, CarrierProfile
from mmsgate.carriers.target import Target
from mmsgate.domain.number import SenderType
from mmsgate.domain.slide import Slide
from mmsgate.http.outcome import Answered
from mmsgate.mm7.dialect import Dialect
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from mmsgate.mm7.submit import HttpMessage, encode_submit
from tests.unit.mm7.samples import BLOBS, CARD, HELLO, IMAGE, PEERS, REQUEST, as_http, encoded, peer

Golden = Callable[[str, bytes], None]

#: A picture, a text and a vCard.
MESSAGE = (Slide(text="Grüße", media=(IMAGE, CARD)),)
FILE = """
base = "{base}"
name = "acme"
endpoints = ["https://mmsc.acme.example/mm7"]
[mm7]
vaspid = "v"
id_domain = "gw.example"
{vasid}
[auth]
header = "X-Key"
value = "k"
"""


def profile(base: str) -> CarrierProfile:
    """A profile on the shipped one, as a person would write it."""
    vasid = "" if "vasid" in shipped()[base].table.get("mm7", {}) else 'vasid = "28444mms"'
    found = read_profile(FILE.format(base=base, vasid=vasid), folder=Path("/nowhere"), environment={})
    assert isinstance(found, CarrierProfile)
    return found


def written(dialect: Dialect, slides: tuple[Slide, ...] = MESSAGE) -> HttpMessage:
    return encode_submit(REQUEST, encoded(slides, dialect), dialect=dialect)


@pytest.mark.parametrize("base", list(shipped()))
def test_the_same_message_in_every_shipped_dialect_as_golden_bytes(golden: Golden, base: str) -> None:
    message = written(profile(base).mm7)
    golden(f"mm7/profiles/{base}.http", as_http(message))
    found = read_request(message.headers["Content-Type"], b"".join(message.buffers))
    assert isinstance(found, SubmitReqReceived)
    assert [part.body for part in found.content.parts[1:]] == [BLOBS["jpeg"], "Grüße".encode(), BLOBS["vcf"]]
    assert found.vasid == "28444mms"


def test_3gpp_is_the_golden_message_of_the_wire_page() -> None:
    """`test_submit` compares the default dialect with the page, byte for byte."""
    default = Dialect(vaspid="v", vasid="28444mms", id_domain="gw.example")
    assert as_http(written(profile("3gpp").mm7, HELLO)) == as_http(written(default, HELLO))


def test_every_golden_file_belongs_to_a_shipped_profile() -> None:
    assert {path.stem for path in (PEERS.parent / "profiles").iterdir()} == set(shipped())


def judged(base: str, name: str) -> SubmitOutcome:
    status, headers, body = peer(name)
    lower = {key.lower(): value for key, value in headers.items()}
    return outcome_of(Answered(status=status, headers=lower, body=body), profile(base))


MBUNI_ID, VECTORCORE_ID = "5-t6-qf9254.1.x78.37@mmsc", "d641ef7d-e2f4-4b66-8700-6d7a4d4a07d2"


@pytest.mark.parametrize(
    ("base", "name", "message_id"),
    [
        ("mbuni", "mbuni-submit-rsp", MBUNI_ID),
        ("vectorcore", "vectorcore-submit-rsp", VECTORCORE_ID),
        ("utf16", "utf16-submit-rsp", "m-0001"),
        ("utf16-declared", "utf16-declared-submit-rsp", "m-0001"),
        ("xml-type", "xml-type-submit-rsp", "m-0001"),
        ("double-colon", "double-colon-submit-rsp", "m-0001"),
        ("version-bug", "version-bug-submit-rsp", "m-0001"),
        ("multipart-answer", "multipart-submit-rsp", "m-0001"),
        ("bare-start", "multipart-bare-start-submit-rsp", "m-0001"),
        ("bare-envelope", "multipart-declared-submit-rsp", "m-0001"),
        ("empty-200", "empty-200-rsp", ""),
        ("3gpp", "no-message-id-submit-rsp", ""),
    ],
)
def test_what_peers_answer_when_they_accept(base: str, name: str, message_id: str) -> None:
    outcome = judged(base, name)
    assert isinstance(outcome, Accepted)
    assert (outcome.code, outcome.message_id) == (1000, message_id)
    if base != "empty-200":  # what is read does not depend on the profile
        assert judged("3gpp", name) == outcome


@pytest.mark.parametrize(
    ("base", "name", "kind"),
    [
        ("mbuni", "mbuni-fault-4004-rsp", RefusedContent),
        ("3gpp", "mbuni-fault-4004-rsp", OurFault),
        ("vectorcore", "vectorcore-fault-401-rsp", Paused),
        ("http-faults", "fault-2002-500-rsp", RefusedRecipient),
        ("3gpp", "header-code-400-rsp", OurFault),
        ("3gpp", "empty-200-rsp", Unknown),
    ],
)
def test_what_peers_answer_when_they_do_not(base: str, name: str, kind: type[SubmitOutcome]) -> None:
    assert type(judged(base, name)) is kind


def test_every_answer_of_a_peer_is_read_by_some_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    answers = [path.stem for path in PEERS.iterdir() if path.read_bytes().startswith(b"HTTP/")]
    assert [name for name in answers if f'"{name}"' not in text] == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2564, Paused), (2568, Paused), (2550, Paused), (3001, RefusedRecipient), (2560, RefusedContent),
        (2503, OurFault),
    ],
)  # fmt: skip
def test_sinch_s_own_codes(code: int, kind: type[SubmitOutcome]) -> None:
    posted = Answered(status=200, headers={"x-mm7-status-code": str(code)}, body=b"")
    assert type(outcome_of(posted, profile("sinch"))) is kind


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/xml; charset=utf-8", Accepted), ("text/xml", Accepted), ("text/html", Unknown), ("", Unknown),
    ],
)  # fmt: skip
def test_only_the_types_that_a_profile_names_are_answers(content_type: str, kind: type[SubmitOutcome]) -> None:
    answers = Answers(types=frozenset({"text/xml", "application/xml"}))
    _, _, body = peer("xml-type-submit-rsp")
    posted = Answered(status=200, headers={"content-type": content_type}, body=body)
    assert type(outcome_of(posted, replace(profile("3gpp"), answers=answers))) is kind
    assert isinstance(outcome_of(posted, profile("3gpp")), Accepted)


def test_an_empty_answer_needs_no_type() -> None:
    answers = Answers(types=frozenset({"text/xml"}), empty_accepts=True)
    posted = Answered(status=200, headers={}, body=b"")
    assert isinstance(outcome_of(posted, replace(profile("3gpp"), answers=answers)), Accepted)


def test_carriers_that_differ_in_the_envelope_alone_share_a_content() -> None:
    """What is encoded, remembered and kept for templates depends on the target's dialect, and on no carrier."""
    one, other = profile("3gpp"), profile("sinch")
    assert one.mm7 != other.mm7
    short = SenderType.SHORT_CODE
    assert Target.of(one, "", short).dialect == Target.of(other, "", short).dialect
    assert Target.of(one, "", short).dialect != Target.of(profile("flat-only"), "", short).dialect
