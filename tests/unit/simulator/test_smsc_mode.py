"""Each mode of the SMSC, without a socket."""

import re
from pathlib import Path

import pytest
import smpp34

from mmsgate.domain.gsm import Concatenation, encode_gsm
from mmsgate.simulator.smsc_mode import SMSC_MODES, Status, smsc_mode
from tests.unit.simulator.test_sms_recipients import Center, Peer, ids

REFERENCE = Path(__file__).parents[3] / "docs/reference/simulator.md"
NUMBER = "12399471613"
HEADER = Concatenation(reference=7, total=2, number=1).header()
SAR = [smpp34.Tlv(0x020C, b"\0\7"), smpp34.Tlv(0x020E, b"\1"), smpp34.Tlv(0x020F, b"\1")]


def answered(mode: str, text: bytes = b"hi", **fields: object) -> tuple[object, list[str]]:
    """The command_status, and the texts on the phone."""
    center = Center(smsc_mode(mode))
    center.submit(NUMBER, text, **fields)
    return center.peer.answers[0][0], [message.text for message in center.box.after()]


@pytest.mark.parametrize(
    ("mode", "octets", "coding", "text"),
    [
        ("gsm7", encode_gsm("@{€}\n"), 0, "@{€}\n"),
        ("gsm7", "привет👋".encode("utf-16-be"), 8, "привет👋"),
        ("latin1", "Grüße @".encode("latin-1"), 0, "Grüße @"),
        ("latin1", "Grüße".encode("utf-16-be"), 8, "Grüße"),
        ("latin1", "Grüße".encode("latin-1"), 3, "Grüße"),
        ("ascii", b"plain @ $", 0, "plain @ $"),
        ("usual", b"\x1b", 0, " "),
    ],
)
def test_a_text_is_read_in_the_alphabet_of_its_data_coding(
    mode: str, octets: bytes, coding: int, text: str
) -> None:
    assert answered(mode, octets, data_coding=coding) == (0, [text])


@pytest.mark.parametrize(
    ("octets", "coding", "status"),
    [
        (b"\x80", 0, Status.ESME_RSUBMITFAIL),  # an eighth bit
        (b"\x1b\x00", 0, Status.ESME_RSUBMITFAIL),  # no such extension
        (b"cut off\x1b", 0, Status.ESME_RSUBMITFAIL),
        (b"\x00", 8, Status.ESME_RSUBMITFAIL),  # half a character
        ("👋".encode("utf-16-be")[:2], 8, Status.ESME_RSUBMITFAIL),
        (b"data", 4, Status.ESME_RINVDCS),
        (b"latin", 3, Status.ESME_RINVDCS),
        (b"?", 0x0D, Status.ESME_RINVDCS),
        (b"x" * 161, 0, Status.ESME_RINVMSGLEN),
        (b"xx" * 71, 8, Status.ESME_RINVMSGLEN),
    ],
)
def test_the_strict_one_refuses_what_is_no_gsm_7(octets: bytes, coding: int, status: Status) -> None:
    assert answered("gsm7", octets, data_coding=coding) == (status, [])
    assert answered("usual", octets, data_coding=coding)[0] == 0


@pytest.mark.parametrize(("body", "status"), [(b"x" * 153, 0), (b"x" * 154, 1), (b"x" * 152 + b"\x1b", 0x45)])
def test_the_strict_one_measures_and_reads_each_part(body: bytes, status: int) -> None:
    assert answered("gsm7", HEADER + body, esm_class=0x40)[0] == status


def test_an_eighth_bit_is_no_ascii() -> None:
    assert answered("ascii", b"\xfc") == (Status.ESME_RSUBMITFAIL, [])


@pytest.mark.parametrize("mode", ["udh", "sar", "payload"])
def test_one_way_of_a_long_text_is_taken_and_the_others_are_refused(mode: str) -> None:
    statuses = {
        "udh": answered(mode, HEADER + b"hi", esm_class=0x40)[0],
        "sar": answered(mode, tlvs=SAR)[0],
        "payload": answered(mode, b"", tlvs=[smpp34.Tlv(0x0424, b"x" * 400)])[0],
    }
    refused = {"udh": Status.ESME_RINVESMCLASS, "sar": Status.ESME_ROPTPARNOTALLWD}
    refused["payload"] = Status.ESME_ROPTPARNOTALLWD
    assert statuses == refused | {mode: 0}
    assert answered(mode)[0] == 0


async def received(mode: str, number: str = NUMBER) -> Peer:
    center = Center(smsc_mode(mode))
    center.submit(number)
    await center.scheduler.run()
    return center.peer


async def test_hex_ids_are_answered_in_hex_and_reported_in_padded_decimal() -> None:
    peer = await received("hex-ids")
    (_, message_id), (reported,) = peer.answers[0], ids(peer)
    assert int(str(message_id), 16) == int(reported)
    assert (len(reported), reported[0], peer.sent[-1][2]) == (20, "0", set())


@pytest.mark.parametrize("number", [NUMBER, "12399470132"])
async def test_receipts_of_tlvs_alone_and_of_text_alone(number: str) -> None:
    assert (await received("tlv-receipts", number)).sent[-1] == ("receipt", "", {0x001E, 0x0427})
    _, text, tags = (await received("text-receipts", number)).sent[-1]
    assert (str(text)[:3], tags) == ("id:", set())


def test_throttling_takes_ten_in_a_second_and_then_ten_more() -> None:
    center = Center(smsc_mode("throttling"))
    for wait in (0, 999, 1):
        center.clock.time += wait
        for _ in range(11):
            center.submit(NUMBER)
    statuses = [status for status, _ in center.peer.answers]
    assert statuses == [0] * 10 + [0x58] * 12 + [0] * 10 + [0x58]


async def test_a_small_queue_is_full_until_something_was_delivered() -> None:
    center = Center(smsc_mode("small-queue"))
    for _ in range(6):
        center.submit(NUMBER)
    await center.scheduler.run()
    center.submit(NUMBER)
    assert [status for status, _ in center.peer.answers] == [0] * 5 + [0x14, 0]


def test_the_reference_lists_every_mode_and_no_other() -> None:
    section = REFERENCE.read_text().partition("## Whom the SMSC plays")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert [name for row in rows for name in re.findall("`(.*?)`", row)] == list(SMSC_MODES)


def test_another_name_is_told_what_there_is() -> None:
    with pytest.raises(ValueError, match="no SMSC mode 'nobody': there are usual, gsm7"):
        smsc_mode("nobody")
