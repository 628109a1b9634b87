"""Whom the simulated SMSC plays: what a data_coding means to it, what it refuses, how it writes ids and receipts.

One row for each quirk of the field. Sources: SMPP 3.4 5.1.3 (command_status), 5.2.19 (data_coding), 5.3.2.22 to
5.3.2.24 and 5.3.2.32 (ways of a long text); SMPP 5.0 4.7.6 (ESME_RINVDCS, for which 3.4 has no word).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import smpp34

from mmsgate.domain.gsm import Alphabet, decode, split_header

_HAS_HEADER = 0x40  # esm_class (5.2.12): a user data header is in front
_MESSAGE_PAYLOAD = 0x0424
_SAR_TAGS = frozenset({0x020C, 0x020E, 0x020F})
_OCTETS = 140  # of one SMS, header and packed septets (3GPP TS 23.040 9.2.3.16)


class Status(IntEnum):
    """The values of command_status with which a mode refuses."""

    ESME_RINVMSGLEN = 0x01
    ESME_RMSGQFUL = 0x14
    ESME_RINVESMCLASS = 0x43
    ESME_RSUBMITFAIL = 0x45
    ESME_RTHROTTLED = 0x58
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVDCS = 0x104


class Long(StrEnum):
    """How a text of more than one SMS may be submitted."""

    UDH = "udh"  # in parts, each behind a user data header
    SAR = "sar"  # in parts, each with the sar_ parameters
    PAYLOAD = "payload"  # whole, in message_payload

    @property
    def refusal(self) -> Status:
        """How an SMSC refuses it that wants another way."""
        return Status.ESME_RINVESMCLASS if self is Long.UDH else Status.ESME_ROPTPARNOTALLWD


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscMode:
    """One kind of SMSC.

    `default` is what data_coding 0 means to it. `exact` says that octets which mean nothing are refused, `strict`
    that a data_coding other than 0 and 8 is, and a part that no SMS can carry. `long` are the ways of a long text.
    With `hex_ids` the answer has the id in hexadecimal and the receipt in decimal, of `padded` digits. `rate` is
    how many submits a second it takes and `queue` how many SMS may wait to be delivered; 0 is no limit.
    """

    name: str
    title: str
    default: Alphabet = Alphabet.GSM7
    exact: bool = False
    strict: bool = False
    long: frozenset[Long] = frozenset(Long)
    hex_ids: bool = False
    padded: int = 0
    receipt_text: bool = True
    receipt_tlvs: bool = True
    rate: int = 0
    queue: int = 0

    def refusal(self, submit: smpp34.SubmitSm) -> Status | None:
        """Why it does not take this submit_sm, whoever it is for; None if it does."""
        for way in _ways(submit):
            if way not in self.long:
                return way.refusal
        return self._unreadable(submit)

    def _unreadable(self, submit: smpp34.SubmitSm) -> Status | None:
        alphabet = {0x00: self.default, 0x08: Alphabet.UCS2}.get(submit.data_coding)
        if alphabet is None:
            return Status.ESME_RINVDCS if self.strict else None
        header, body = user_data(submit)
        if self.strict and submit.short_message and not _fits(header, body, alphabet):
            return Status.ESME_RINVMSGLEN
        return Status.ESME_RSUBMITFAIL if self.exact and not _writes(alphabet, body) else None

    def text(self, submit: smpp34.SubmitSm) -> str:
        """What it reads in a submit_sm that it takes."""
        return decode(user_data(submit)[1], submit.data_coding, default=self.default)


def user_data(submit: smpp34.SubmitSm) -> tuple[bytes, bytes]:
    """The user data header, empty without one, and what follows it."""
    payload = submit.short_message or next((tlv.value for tlv in submit.tlvs if tlv.tag == _MESSAGE_PAYLOAD), b"")
    return split_header(payload) if submit.esm_class & _HAS_HEADER else (b"", payload)


def _ways(submit: smpp34.SubmitSm) -> set[Long]:
    tags = {tlv.tag for tlv in submit.tlvs}
    found = {
        Long.UDH: bool(submit.esm_class & _HAS_HEADER),
        Long.SAR: bool(tags & _SAR_TAGS),
        Long.PAYLOAD: _MESSAGE_PAYLOAD in tags,
    }
    return {way for way, there in found.items() if there}


def _fits(header: bytes, body: bytes, alphabet: Alphabet) -> bool:
    """Whether one SMS holds it: septets are packed, eight of them in seven octets."""
    room = _OCTETS - len(header)
    return len(body) <= (room * 8 // 7 if alphabet is Alphabet.GSM7 else room)


def _writes(alphabet: Alphabet, octets: bytes) -> bool:
    """Whether they are what a text is written as; a lenient reader makes something up for others."""
    text = alphabet.decode(octets)
    return alphabet.has(text) and alphabet.encode(text) == octets


# fmt: off
_ROWS = (
    SmscMode(name="usual", title="takes every data_coding and every way of a long text; receipts as text and TLVs"),
    SmscMode(name="gsm7", title="strict: data_coding 0 is GSM 03.38, 8 is UCS-2; nothing else, nothing too long",
             exact=True, strict=True),
    SmscMode(name="latin1", title="its default alphabet, data_coding 0, is Latin-1", default=Alphabet.LATIN1),
    SmscMode(name="ascii", title="its default alphabet, data_coding 0, is ASCII; no eighth bit",
             default=Alphabet.ASCII, exact=True),
    SmscMode(name="hex-ids", title="ids in hexadecimal in answers, in decimal with leading zeros in receipts",
             hex_ids=True, padded=20, receipt_tlvs=False),
    SmscMode(name="tlv-receipts", title="receipts say it in TLVs, their text is empty", receipt_text=False),
    SmscMode(name="text-receipts", title="receipts say it in their text, without TLVs", receipt_tlvs=False),
    SmscMode(name="throttling", title="ESME_RTHROTTLED for more than 10 submits in a second", rate=10),
    SmscMode(name="small-queue", title="ESME_RMSGQFUL while 5 SMS wait to be delivered", queue=5),
    SmscMode(name="payload", title="long texts whole in message_payload, neither header nor SAR parameters",
             long=frozenset({Long.PAYLOAD})),
    SmscMode(name="sar", title="long texts in parts with SAR parameters, neither header nor message_payload",
             long=frozenset({Long.SAR})),
    SmscMode(name="udh", title="long texts in parts with a user data header alone", long=frozenset({Long.UDH})),
)
# fmt: on

SMSC_MODES: dict[str, SmscMode] = {row.name: row for row in _ROWS}
USUAL = SMSC_MODES["usual"]


def smsc_mode(name: str) -> SmscMode:
    """The mode of that name. Raises ValueError that lists them."""
    if name not in SMSC_MODES:
        raise ValueError(f"there is no SMSC mode {name!r}: there are {', '.join(SMSC_MODES)}")
    return SMSC_MODES[name]
