"""Reading deliver_sm: a receipt, or an SMS from a phone. No IO.

smpp34's decoder is used because aiosmpplib's refuses what SMSCs send every day: a receipt made of TLVs alone, an
unknown data_coding, an address that is not ASCII, an error code with letters, a date with seconds.

Only the decoder: smpp34's client acknowledges before anybody has stored anything, and its threads can hang or crash
the interpreter when it ends.
"""

from dataclasses import dataclass

import smpp34

from mmsgate.domain.gsm import Alphabet, Concatenation, concatenation, decode, split_header
from mmsgate.sms.message import InboundSms
from mmsgate.sms.receipt import TLV_RECEIPTED_MESSAGE_ID, Receipt, parse_receipt
from mmsgate.sms.submit import TLV_MESSAGE_PAYLOAD, TLV_SAR_NUMBER, TLV_SAR_REFERENCE, TLV_SAR_TOTAL, UDHI

_TLV_SAR = (TLV_SAR_REFERENCE, TLV_SAR_TOTAL, TLV_SAR_NUMBER)
#: esm_class bits 5-2 (5.2.12): delivery receipt, intermediate notification.
_RECEIPT_TYPES = {0x04, 0x20}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundReceipt:
    """A receipt and the two addresses of the deliver_sm that brought it: source is the phone."""

    receipt: Receipt
    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Not a deliver_sm by any reading."""

    reason: str


def read_deliver_sm(pdu: bytes, default: Alphabet = Alphabet.GSM7) -> InboundReceipt | InboundSms | Unreadable:
    """What a deliver_sm brings. `default` is what data_coding 0 means to this SMSC.

    It is a receipt if esm_class says so or if it has a receipted_message_id. A text that merely looks like a
    receipt is not: any phone can write one.
    """
    try:
        deliver = smpp34.decode(pdu)
    except smpp34.SmppError as error:
        return Unreadable(reason=str(error))
    if not isinstance(deliver, smpp34.DeliverSm):
        return Unreadable(reason="not a deliver_sm")
    tlvs = {tlv.tag: tlv.value for tlv in deliver.tlvs}
    payload = deliver.short_message or tlvs.get(TLV_MESSAGE_PAYLOAD, b"")
    if deliver.esm_class & 0x3C in _RECEIPT_TYPES or TLV_RECEIPTED_MESSAGE_ID in tlvs:
        receipt = parse_receipt(_receipt_text(payload, deliver.data_coding), tlvs)
        return InboundReceipt(receipt=receipt, source=deliver.source_addr, destination=deliver.destination_addr)
    return _inbound_sms(deliver, payload, tlvs, default)


def _receipt_text(payload: bytes, data_coding: int) -> str:
    """Receipts are written in ASCII whatever data_coding 0 means to the SMSC: read as GSM, ``_`` would be ``§``."""
    return payload.decode("utf-16-be" if data_coding == 0x08 else "latin-1", errors="replace")


def _inbound_sms(
    deliver: smpp34.DeliverSm, payload: bytes, tlvs: dict[int, bytes], default: Alphabet
) -> InboundSms:
    header, body = split_header(payload) if deliver.esm_class & UDHI else (b"", payload)
    return InboundSms(
        source=deliver.source_addr,
        destination=deliver.destination_addr,
        text=decode(body, deliver.data_coding, default=default),
        data_coding=deliver.data_coding,
        payload=body,
        part=concatenation(header) or _sar(tlvs),
    )


def _sar(tlvs: dict[int, bytes]) -> Concatenation | None:
    """The other way of saying which part it is: three TLVs."""
    reference, total, number = (int.from_bytes(tlvs.get(tag, b"")) for tag in _TLV_SAR)
    return Concatenation(reference=reference, total=total, number=number) if 1 <= number <= total else None
