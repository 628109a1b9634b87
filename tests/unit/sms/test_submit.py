"""submit_sm, octet for octet, and as another library reads it."""

import pytest
import smpp34

from mmsgate.sms.message import OutboundSms
from mmsgate.sms.segments import Segmented, segment
from mmsgate.sms.submit import submit_sm
from mmsgate.sms.writing import USUAL, LongSms, Writing


def pdus(text: str, *, writing: Writing = USUAL, **fields: object) -> list[bytes]:
    sms = segment(text, reference=7, writing=writing)
    assert isinstance(sms, Segmented)
    usual: dict[str, object] = {"source": "28444", "source_ton": 3, "source_npi": 0, "destination": "12065550100"}
    return [
        submit_sm(OutboundSms(segment=part, **usual | fields), 5)  # type: ignore[arg-type]  # fields of OutboundSms
        for part in sms.segments
    ]


def test_a_short_sms_octet_for_octet() -> None:
    (pdu,) = pdus("Hi @€", service_type="CMT")
    assert pdu.hex(" ") == (
        "00 00 00 3a 00 00 00 04 00 00 00 00 00 00 00 05 "  # length, submit_sm, status, sequence
        "43 4d 54 00 "  # service_type
        "03 00 32 38 34 34 34 00 "  # source: network specific, unknown plan
        "01 01 31 32 30 36 35 35 35 30 31 30 30 00 "  # destination: international, ISDN
        "00 00 00 00 00 "  # esm_class, protocol_id, priority_flag, no times
        "01 00 00 00 06 "  # registered_delivery, replace, data_coding, sm_default_msg_id, sm_length
        "48 69 20 00 1b 65"
    )


@pytest.mark.parametrize(
    ("long", "last_esm_class", "octets", "tlvs"),
    [
        (LongSms.UDH, 0x40, b"\x05\0\x03\x07\x02\x02" + b"a" * 8, {}),
        (LongSms.SAR, 0, b"a" * 8, {0x020C: b"\0\x07", 0x020E: b"\x02", 0x020F: b"\x02"}),
        (LongSms.PAYLOAD, 0, b"", {0x0424: b"a" * 161}),
    ],
)
def test_a_long_one_is_joined_as_the_smsc_wants_it(
    long: LongSms, last_esm_class: int, octets: bytes, tlvs: dict[int, bytes]
) -> None:
    read = smpp34.decode(pdus("a" * 161, writing=Writing(long=long))[-1])
    assert isinstance(read, smpp34.SubmitSm)
    assert (read.esm_class, read.short_message, read.sequence_number) == (last_esm_class, octets, 5)
    assert {tlv.tag: tlv.value for tlv in read.tlvs} == tlvs


def test_every_field_is_where_another_library_looks_for_it() -> None:
    (pdu,) = pdus(
        "ж", source="Acme", source_ton=5, source_npi=0, destination_ton=2, destination_npi=8, registered_delivery=0,
        service_type="WAP",
    )  # fmt: skip
    read = smpp34.decode(pdu)
    assert isinstance(read, smpp34.SubmitSm)
    assert (read.source_addr, read.source_addr_ton, read.source_addr_npi) == ("Acme", 5, 0)
    assert (read.destination_addr, read.dest_addr_ton, read.dest_addr_npi) == ("12065550100", 2, 8)
    assert (read.registered_delivery, read.data_coding, read.service_type) == (0, 8, "WAP")
    assert read.short_message == "ж".encode("utf-16-be")
