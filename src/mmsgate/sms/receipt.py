"""What an SMSC says of an SMS that it took: delivery receipts and message ids. No IO.

Sources: SMPP 3.4 5.2.28 (message_state), 5.3.2.12 (receipted_message_id), appendix B (the text of a receipt). The
text is "implementation specific" there, so everything in it may be missing, in any case and any order.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest

TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_NETWORK_ERROR_CODE = 0x0423
TLV_MESSAGE_STATE = 0x0427
#: Characters of a message id (4.4.2): anything longer is no number of theirs.
MAX_ID = 64

_KEY = re.compile(r"(?<!\w)(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text):", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?([0-9a-f]+)", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"[0-9]+", re.ASCII)


class ReceiptState(StrEnum):
    """How far the SMSC got, in the words of appendix B."""

    ENROUTE = "ENROUTE"
    DELIVRD = "DELIVRD"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIV = "UNDELIV"
    ACCEPTD = "ACCEPTD"
    UNKNOWN = "UNKNOWN"
    REJECTD = "REJECTD"

    @property
    def is_final(self) -> bool:
        """Nothing else will come.

        ACCEPTD is final by the letter of 5.2.28, but SMSCs in the field send it first and DELIVRD later. UNKNOWN
        says nothing at all. Both leave the message waiting; its timer ends it.
        """
        return self in _FINAL

    @property
    def is_delivered(self) -> bool:
        """On the phone."""
        return self is ReceiptState.DELIVRD


_FINAL = frozenset(
    {
        ReceiptState.DELIVRD,
        ReceiptState.EXPIRED,
        ReceiptState.DELETED,
        ReceiptState.UNDELIV,
        ReceiptState.REJECTD,
    }
)
#: message_state (5.2.28). 0 and 9 are SMPP 5's SCHEDULED and SKIPPED.
_BY_NUMBER = {
    0: ReceiptState.ENROUTE,
    1: ReceiptState.ENROUTE,
    2: ReceiptState.DELIVRD,
    3: ReceiptState.EXPIRED,
    4: ReceiptState.DELETED,
    5: ReceiptState.UNDELIV,
    6: ReceiptState.ACCEPTD,
    7: ReceiptState.UNKNOWN,
    8: ReceiptState.REJECTD,
    9: ReceiptState.DELETED,
}
#: The first five letters: SMSCs write DELIVRD, DELIVERED and UNDELIVERABLE alike.
_BY_PREFIX = {state.value[:5]: state for state in ReceiptState} | {"DELIV": ReceiptState.DELIVRD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One delivery receipt.

    `message_id` is as the SMSC wrote it, empty where it named none; `text_id` is the id of the text where that
    differs from the TLV's. `error` is the SMSC's or the network's own code, empty for none. `text` is the receipt
    itself, for a person who looks at an orphan; it can quote the message, so it stays out of a repr.
    """

    message_id: str
    state: ReceiptState
    error: str = ""
    text_id: str = ""
    text: str = field(default="", repr=False)

    @property
    def is_final(self) -> bool:
        return self.state.is_final

    @property
    def is_delivered(self) -> bool:
        return self.state.is_delivered

    @property
    def candidate_ids(self) -> tuple[str, ...]:
        """Every spelling under which the message may be stored, the likeliest first (see `id_forms`)."""
        return tuple(dict.fromkeys((*id_forms(self.message_id), *id_forms(self.text_id))))


def parse_receipt(text: str, tlvs: Mapping[int, bytes] | None = None) -> Receipt:
    """The receipt in a deliver_sm. Never fails: what can't be read is empty or UNKNOWN.

    Where both are there, TLVs win over the text: they have one meaning in every SMSC.
    """
    tlvs = tlvs or {}
    fields = dict(_fields(text))
    tlv_id = tlvs.get(TLV_RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("latin-1").strip()
    text_id = fields.get("id", "")
    return Receipt(
        message_id=tlv_id or text_id,
        text_id=text_id if tlv_id and text_id != tlv_id else "",
        state=_state(fields.get("stat", ""), tlvs.get(TLV_MESSAGE_STATE, b"")),
        error=_error(fields.get("err", ""), tlvs.get(TLV_NETWORK_ERROR_CODE, b"")),
        text=text,
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Keys in lower case and their values. ``text:`` is last, whatever is in it: it quotes what somebody wrote."""
    keys = list(_KEY.finditer(text))
    for key, following in zip_longest(keys, keys[1:]):
        name = key[1].lower()
        if name == "text":
            return
        yield name, text[key.end() : following.start() if following else None].strip(" \t\r\n,;")


def _state(stat: str, tlv: bytes) -> ReceiptState:
    if tlv and (state := _BY_NUMBER.get(tlv[-1])):
        return state
    return _BY_PREFIX.get(stat.strip().upper()[:5], ReceiptState.UNKNOWN)


def _error(err: str, tlv: bytes) -> str:
    """The text's code unless it is all zeros, else the network's: one octet of type, two of code (5.3.2.31)."""
    if err.strip("0"):
        return err
    return str(int.from_bytes(tlv[1:])) if len(tlv) == 3 and any(tlv[1:]) else ""


def canonical_id(message_id: str) -> str:
    """A message id as a key: no surrounding blanks, lower case, no leading zeros (``0001A2B`` → ``1a2b``).

    Padding can't be enumerated, so it is taken away on both sides: store this, and look up `id_forms`.
    """
    bare = message_id.strip().lower()
    return bare.lstrip("0") or bare[:1]


def id_forms(message_id: str) -> tuple[str, ...]:
    """The spellings under which the message of a receipt may be stored, the likeliest first, each once.

    1. verbatim, 2. canonical: the same id but for case and padding; 3. decimal read as a number and written in
    hex: the submit response had hex, the receipt has decimal, which is what most SMSCs with two spellings do;
    4. hex written in decimal: the other way round.

    1 and 2 are the same id. 3 and 4 are guesses: ``10`` is also ``a`` and, read as hex, ``16``, and both may be
    other messages of the same SMSC. So try the forms in this order, take the first hit, and believe 3 or 4 only
    for the same SMSC and the same recipient.
    """
    verbatim = message_id.strip()
    if not verbatim or len(verbatim) > MAX_ID:
        return (verbatim,) if verbatim else ()
    forms = [verbatim, canonical_id(verbatim)]
    if _DECIMAL.fullmatch(verbatim):
        forms.append(f"{int(verbatim):x}")
    if hexadecimal := _HEX.fullmatch(verbatim):
        forms.append(str(int(hexadecimal[1], 16)))
    return tuple(dict.fromkeys(forms))
