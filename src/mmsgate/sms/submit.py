"""submit_sm as octets (SMPP 3.4, 4.4.1). No IO.

Written here because the SMPP libraries either encode and cut texts by themselves or can't say all that an SMSC may
want: message_payload with ready octets, a data_coding of its own, SAR parameters.
"""

import struct
from collections.abc import Iterator

from mmsgate.sms.message import OutboundSms
from mmsgate.sms.segments import Segment

SUBMIT_SM = 0x04
TLV_SAR_REFERENCE, TLV_SAR_TOTAL, TLV_SAR_NUMBER = 0x020C, 0x020E, 0x020F  # 5.3.2.22 to 5.3.2.24
TLV_MESSAGE_PAYLOAD = 0x0424  # 5.3.2.32
UDHI = 0x40  # esm_class (5.2.12): a user data header is in front

_HEADER = struct.Struct("!IIII")
_TLV = struct.Struct("!HH")


def submit_sm(sms: OutboundSms, sequence: int) -> bytes:
    """The PDU of one part."""
    segment = sms.segment
    text = b"" if segment.in_payload else segment.user_data
    body = b"".join(
        (
            _string(sms.service_type),
            bytes((sms.source_ton, sms.source_npi)), _string(sms.source),
            bytes((sms.destination_ton, sms.destination_npi)), _string(sms.destination),
            bytes((UDHI if segment.udh else 0, 0, 0)),  # esm_class, protocol_id, priority_flag
            b"\0\0",  # schedule_delivery_time, validity_period: the SMSC's own
            bytes((sms.registered_delivery, 0, segment.data_coding, 0, len(text))), text,
            *_optional(segment),
        )
    )  # fmt: skip
    return _HEADER.pack(_HEADER.size + len(body), SUBMIT_SM, 0, sequence) + body


def _optional(segment: Segment) -> Iterator[bytes]:
    if segment.sar is not None:
        yield _tlv(TLV_SAR_REFERENCE, segment.sar.reference.to_bytes(2))
        yield _tlv(TLV_SAR_TOTAL, segment.sar.total.to_bytes(1))
        yield _tlv(TLV_SAR_NUMBER, segment.sar.number.to_bytes(1))
    if segment.in_payload:
        yield _tlv(TLV_MESSAGE_PAYLOAD, segment.user_data)


def _string(text: str) -> bytes:
    return text.encode("ascii") + b"\0"


def _tlv(tag: int, value: bytes) -> bytes:
    return _TLV.pack(tag, len(value)) + value
