"""DeliverReq as it is written: golden bytes, and what the reader makes of them."""

from dataclasses import replace

import pytest

from mmsgate.mm7.address import Address
from mmsgate.mm7.deliver import DeliverReq, encode_deliver
from mmsgate.mm7.parts import Content, ContentPart
from mmsgate.mm7.request import read_request
from mmsgate.mm7.submit import HttpMessage
from tests.unit.mm7.test_submit import Golden

PICTURE = b"\x89PNG\r\n--\r\n\x00\xff"


def deliver() -> DeliverReq:
    return DeliverReq(
        transaction_id="t-1", linked_id="mo-1", sender=Address(value="12065550113"),
        recipients=(Address(value="28444"),),
        copy_to=(Address(value="12065550114"),), timestamp=1_767_346_247_089, subject="A <lake> & boats",
        content=Content(parts=(
            ContentPart(content_type="image/png", content_id="photo.png", location="photo.png", body=PICTURE),
            ContentPart(
                content_type="text/plain", charset="utf-8", content_id="t", location="t", body="Schön".encode()
            ),
        )),
    )  # fmt: skip


def read(message: HttpMessage) -> DeliverReq:
    request = read_request(message.headers["Content-Type"], b"".join(message.buffers))
    assert isinstance(request, DeliverReq)
    return request


def test_a_deliver_req_as_golden_bytes(golden: Golden) -> None:
    message = encode_deliver(deliver(), token=lambda: "T0K3N")
    head = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
    golden("mm7/deliver-req.http", f"{head}\r\n".encode() + b"".join(message.buffers))


def test_what_is_written_is_read_again() -> None:
    message = encode_deliver(deliver(), token=lambda: "T0K3N")
    found = read(message)
    assert [(part.content_type, part.charset, part.location, part.body) for part in found.content.parts] == [
        ("image/png", "", "photo.png", PICTURE), ("text/plain", "utf-8", "t", "Schön".encode()),
    ]  # fmt: skip
    assert replace(found, content=Content()) == replace(deliver(), content=Content())
    assert int(message.headers["Content-Length"]) == message.length == sum(map(len, message.buffers))


def test_it_has_what_the_contract_s_sample_has() -> None:
    message = encode_deliver(deliver(), token=lambda: "T0K3N")
    body = b"".join(message.buffers)
    assert 'start="soap-start"' in message.headers["Content-Type"]
    assert b"<TimeStamp>2026-01-02T09:30:47.089Z</TimeStamp>" in body
    assert b"<To><Number>28444</Number>" in body
    assert b"Content-Type: multipart/mixed; boundary=innerT0K3N\r\nContent-ID: <default.cid>" in body
    assert body.count(b"Content-Transfer-Encoding: binary\r\n") == 2


def test_a_message_without_parts_has_no_content() -> None:
    message = encode_deliver(replace(deliver(), content=Content(), copy_to=()), token=lambda: "T0K3N")
    assert b"<Content" not in b"".join(message.buffers)
    assert read(message).content.parts == ()


def test_no_part_holds_a_boundary() -> None:
    hit = ContentPart(content_type="text/plain", body=b"--innerFIRST")
    tokens = iter(("FIRST", "SECOND"))
    message = encode_deliver(replace(deliver(), content=Content(parts=(hit,))), token=lambda: next(tokens))
    assert "outerSECOND" in message.headers["Content-Type"]
    assert read(message).content.parts[0].body == hit.body


def test_a_line_end_in_a_name_starts_no_header() -> None:
    sly = ContentPart(content_type="text/plain", location="a\r\nX: y", body=b"")
    with pytest.raises(ValueError, match="line end"):
        encode_deliver(replace(deliver(), content=Content(parts=(sly,))), token=lambda: "T0K3N")
