"""Receipts as SMSCs write them, and the spellings of message ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.sms.receipt import (
    TLV_MESSAGE_STATE,
    TLV_NETWORK_ERROR_CODE,
    TLV_RECEIPTED_MESSAGE_ID,
    Receipt,
    ReceiptState,
    canonical_id,
    id_forms,
    parse_receipt,
)

FULL = (
    "id:1A2b_3 sub:001 dlvrd:001 submit date:2601020930 done date:260102093112"
    " stat:DELIVRD err:000 text:hello stat:EXPIRED id:9"
)


def test_the_form_of_appendix_b() -> None:
    receipt = parse_receipt(FULL)
    assert receipt == Receipt(message_id="1A2b_3", state=ReceiptState.DELIVRD, text=FULL)
    assert receipt.is_final
    assert receipt.is_delivered


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        ("ID:7 STAT:UNDELIV ERR:12f", "7", ReceiptState.UNDELIV, "12f"),
        ("stat:expired id:7", "7", ReceiptState.EXPIRED, ""),
        ("id:7", "7", ReceiptState.UNKNOWN, ""),
        ("id: sub:001 stat:REJECTD err:", "", ReceiptState.REJECTD, ""),
        ("id: 7 stat: DELIVRD", "7", ReceiptState.DELIVRD, ""),
        ("id:7, submitdate:2601020930, stat:DELETED", "7", ReceiptState.DELETED, ""),
        ("msgid:8 id:7 stat:ACCEPTED err:045", "7", ReceiptState.ACCEPTD, "045"),
        ("id:7 stat:Undeliverable", "7", ReceiptState.UNDELIV, ""),
        ("id:7 stat:DELIVERED", "7", ReceiptState.DELIVRD, ""),
        ("id:7 stat:NONSENSE", "7", ReceiptState.UNKNOWN, ""),
        ("text:id:7 stat:DELIVRD", "", ReceiptState.UNKNOWN, ""),
        ("", "", ReceiptState.UNKNOWN, ""),
    ],
)
def test_any_case_any_order_anything_missing(text: str, message_id: str, state: ReceiptState, error: str) -> None:
    assert parse_receipt(text) == Receipt(message_id=message_id, state=state, error=error, text=text)


def test_tlvs_alone_are_a_receipt() -> None:
    tlvs = {
        TLV_RECEIPTED_MESSAGE_ID: b"00ff\0",
        TLV_MESSAGE_STATE: b"\x05",
        TLV_NETWORK_ERROR_CODE: b"\x03\x01\x02",
    }
    assert parse_receipt("", tlvs) == Receipt(message_id="00ff", state=ReceiptState.UNDELIV, error="258")


def test_tlvs_win_over_the_text_whose_id_is_kept() -> None:
    receipt = parse_receipt(
        "id:255 stat:UNKNOWN err:001", {TLV_RECEIPTED_MESSAGE_ID: b"FE", TLV_MESSAGE_STATE: b"\x02"}
    )
    assert (receipt.message_id, receipt.text_id) == ("FE", "255")
    assert (receipt.state, receipt.error) == (ReceiptState.DELIVRD, "001")
    assert receipt.candidate_ids == ("FE", "fe", "254", "255", "ff", "597")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "ENROUTE"),
        (2, "DELIVRD"),
        (3, "EXPIRED"),
        (4, "DELETED"),
        (5, "UNDELIV"),
        (6, "ACCEPTD"),
        (7, "UNKNOWN"),
        (8, "REJECTD"),
    ],
)
def test_message_states_have_the_numbers_of_5_2_28(number: int, name: str) -> None:
    assert parse_receipt("", {TLV_MESSAGE_STATE: bytes([number])}).state == name


def test_an_unknown_message_state_leaves_the_word_to_the_text() -> None:
    assert parse_receipt("stat:DELIVRD", {TLV_MESSAGE_STATE: b"\x63"}).is_delivered


def test_what_ends_a_message() -> None:
    final = {state for state in ReceiptState if state.is_final}
    assert {str(state) for state in final} == {"DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "REJECTD"}


def test_a_repr_keeps_the_text_to_itself() -> None:
    assert "hello" not in repr(parse_receipt(FULL))


@pytest.mark.parametrize(
    ("message_id", "forms"),
    [
        ("6699", ("6699", "1a2b", "26265")),  # the hex of the submit response comes before the other guess
        ("1A2B", ("1A2B", "1a2b", "6699")),
        ("0000001A2B", ("0000001A2B", "1a2b", "6699")),
        ("0x1A2B", ("0x1A2B", "x1a2b", "6699")),
        ("7", ("7",)),
        ("000", ("000", "0")),
        ("b7c1-44", ("b7c1-44",)),
        (" 12 ", ("12", "c", "18")),
        ("", ()),
        ("9" * 65, ("9" * 65,)),
        ("٣", ("٣",)),  # a digit, but nobody's id
    ],
)
def test_id_forms_in_order_of_likelihood(message_id: str, forms: tuple[str, ...]) -> None:
    assert id_forms(message_id) == forms


@pytest.mark.parametrize(
    ("message_id", "key"),
    [("0001A2B", "1a2b"), ("1a2b", "1a2b"), (" 12 ", "12"), ("000", "0"), ("0", "0"), ("", ""), ("A-01", "a-01")],
)
def test_the_key_has_neither_case_nor_padding(message_id: str, key: str) -> None:
    assert canonical_id(message_id) == key


@given(st.integers(0, 2**63), st.integers(0, 20), st.booleans())
def test_hex_at_submit_is_found_by_decimal_in_the_receipt_and_back(number: int, padding: int, upper: bool) -> None:
    decimal = str(number).zfill(padding)
    hexadecimal = f"{number:X}" if upper else f"{number:x}".zfill(padding)
    assert canonical_id(hexadecimal) in map(canonical_id, id_forms(decimal))
    assert canonical_id(decimal) in map(canonical_id, id_forms(hexadecimal))


@given(st.text(max_size=200), st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=80)))
def test_no_receipt_breaks_the_parser(text: str, tlvs: dict[int, bytes]) -> None:
    receipt = parse_receipt(text, tlvs)
    assert receipt.text == text
    assert set(id_forms(receipt.message_id)) <= set(receipt.candidate_ids)


@given(
    st.lists(st.sampled_from(["id:", "stat:", "err:", "text:", "sub:", " ", "a", "0", "DELIVRD"]), max_size=30).map(
        "".join
    )
)
def test_no_jumble_of_keys_breaks_the_parser(text: str) -> None:
    assert parse_receipt(text).state in ReceiptState
