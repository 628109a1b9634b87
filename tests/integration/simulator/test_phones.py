"""The phones' web over sockets: pages, JSON, parts, news."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator

import pytest

from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.service import Simulator
from tests.integration.simulator.peer import request, submit
from tests.unit.simulator.submits import PICTURE, WORDS, golden, mmsbox, part

NUMBER = "12399471613"


async def messages(port: int, query: str = "") -> list[dict[str, object]]:
    response = await request(port, f"/sim/messages?{query}")
    assert response.status == 200
    assert response.headers["cache-control"] == "no-store"
    found = json.loads(response.body)
    assert isinstance(found, list)
    return found


def sms(text: str = "hi", to: str = NUMBER) -> Message:
    return Message(kind=Kind.SMS, to=to, sender="28444", text=text, received_at=0)


async def test_messages_as_json_after_the_last_one_seen(port: int) -> None:
    await submit(port, golden(transaction="1"))
    await submit(port, golden("12399470100", transaction="2"))
    await submit(port, golden(transaction="3"))
    assert [entry["transaction_id"] for entry in await messages(port)] == ["1", "2", "3"]
    assert [entry["transaction_id"] for entry in await messages(port, f"to=%2B{NUMBER}")] == ["1", "3"]
    assert [entry["transaction_id"] for entry in await messages(port, f"to={NUMBER}&since=1")] == ["3"]


async def test_a_long_poll_ends_with_the_first_message_for_that_phone(simulator: Simulator, port: int) -> None:
    polling = asyncio.create_task(messages(port, f"to={NUMBER}&wait=30s"))
    await submit(port, golden("12399470100"))
    await submit(port, golden())
    (entry,) = await polling
    assert entry["to"] == NUMBER


async def test_a_long_poll_without_news_is_an_empty_list(port: int) -> None:
    assert await messages(port, f"to={NUMBER}&wait=1ms") == []
    assert await messages(port, "wait=0") == []


async def test_a_bad_parameter_is_told(port: int) -> None:
    response = await request(port, "/sim/messages?wait=soon")
    assert response.status == 400
    assert "wait must be a time" in json.loads(response.body)["error"]


async def test_emptying_the_phones(simulator: Simulator, port: int) -> None:
    await submit(port, golden("12399470107"))
    await submit(port, golden())
    assert (await request(port, "/sim/messages", method="DELETE")).status == 204
    assert await messages(port) == []
    for _ in range(3):  # 0107 counts anew
        await submit(port, golden("12399470107"))
    assert len(await messages(port)) == 1


async def test_parts_are_served_byte_for_byte_and_in_ranges(port: int) -> None:
    await submit(port, golden())
    (entry,) = await messages(port)
    slides = entry["slides"]
    assert isinstance(slides, list)
    picture = slides[0]["parts"][0]
    whole = await request(port, picture["url"])
    assert (whole.status, whole.body, whole.headers["content-type"]) == (200, PICTURE[2], "image/jpeg")
    piece = await request(port, picture["url"], headers={"Range": "bytes=2-5"})
    assert (piece.status, piece.body) == (206, PICTURE[2][2:6])
    head = await request(port, picture["url"], method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(PICTURE[2])))


@pytest.mark.parametrize("path", ["/sim/messages/1/parts/0", "/sim/messages/1/parts/9", "/sim/messages/9/parts/1"])
async def test_parts_that_are_not_there(port: int, path: str) -> None:
    await submit(port, golden())
    assert (await request(port, path)).status == 404


async def test_the_page_of_a_phone_shows_slides_text_and_the_drawer(simulator: Simulator, port: int) -> None:
    await submit(port, mmsbox(NUMBER))
    simulator.box.add(sms("see http://a.example/?a=1&b=2 <b>"))
    response = await request(port, f"/sim/phones/{NUMBER}")
    page = response.body.decode()
    assert response.status == 200
    assert response.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    for piece in (
        "R&amp;B über alles",
        'data-duration="5000"',
        '<img src="/sim/messages/1/parts/2" alt=',
        "Grüße",
        "&lt;smil&gt;",
        "ShortCode 111",
        'href="http://a.example/?a=1&amp;b=2"',
        "&lt;b&gt;",
        "SubmitReq qf9254.1.x78.37 → 1000",
    ):
        assert piece in page


async def test_nothing_that_arrives_can_become_markup(simulator: Simulator, port: int) -> None:
    evil = '"><script>alert(1)</script>'
    inert = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
    parts = [PICTURE, part("s1.txt", "text/plain", evil.encode()), part("x.svg", "image/svg+xml", evil.encode())]
    smil = '<smil><body><par><text src="s1.txt"/><img src="&quot;&gt;&lt;script&gt;"/></par></body></smil>'
    await submit(port, golden(subject=inert, transaction=inert, parts=parts, smil=smil))
    simulator.box.add(sms(evil))
    page = (await request(port, f"/sim/phones/{NUMBER}")).body.decode()
    assert page.count("<script") == 1  # our own
    svg = await request(port, "/sim/messages/1/parts/4")
    assert svg.headers["content-type"].startswith("text/plain")
    assert svg.headers["content-disposition"].startswith("attachment")


async def test_every_medium_has_its_element_and_objects_are_chips(port: int) -> None:
    names = [
        ("a.mp4", "video/mp4", '<video src="/sim/messages/1/parts/1" controls playsinline'),
        ("b.mp3", "audio/mpeg", '<audio src="/sim/messages/1/parts/2" controls'),
        ("c.vcf", "text/x-vCard", 'class="chip" href="/sim/messages/1/parts/3" download="c.vcf"'),
        ("d.ics", "text/calendar", 'class="chip" href="/sim/messages/1/parts/4"'),
        ("e.pdf", "application/pdf", 'class="chip" href="/sim/messages/1/parts/5"'),
        ("f.pkpass", "application/vnd.apple.pkpass", 'class="chip" href="/sim/messages/1/parts/6"'),
    ]
    await submit(port, golden(smil=None, parts=[part(name, kind, b"x") for name, kind, _ in names]))
    page = (await request(port, f"/sim/phones/{NUMBER}")).body.decode()
    for _, _, piece in names:
        assert piece in page


async def test_a_second_copy_is_shown(port: int) -> None:
    for _ in range(2):
        await submit(port, golden())
    page = (await request(port, f"/sim/phones/{NUMBER}")).body.decode()
    assert "2 copies arrived" in page


async def test_the_list_of_phones_counts_what_is_unread(port: int) -> None:
    assert b"Nothing has arrived yet" in (await request(port, "/sim/")).body
    await submit(port, golden(subject="Hello &amp; goodbye"))
    page = (await request(port, "/sim/")).body.decode()
    assert "Hello &amp; goodbye · 1 slide" in page
    assert 'aria-label="1 unread"' in page
    assert 'href="/sim/phones/12399470106"' in page
    await request(port, f"/sim/phones/{NUMBER}")
    assert "unread" not in (await request(port, "/sim/")).body.decode()


async def test_one_message_alone_for_the_open_page(port: int) -> None:
    await submit(port, golden())
    piece = await request(port, f"/sim/phones/{NUMBER}/messages/1")
    assert piece.body.lstrip().startswith(b'<article class="message mms" id="message-1"')
    assert (await request(port, "/sim/phones/12399470100/messages/1")).status == 404
    assert (await request(port, f"/sim/phones/{NUMBER}/messages/2")).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sim", 308), ("/sim/phones/abc", 404), ("/sim/phones/%2B12399470100", 200), ("/sim/static/none", 404)],
)
async def test_other_addresses(port: int, path: str, status: int) -> None:
    assert (await request(port, path)).status == status


async def test_every_file_a_page_names_is_served(port: int) -> None:
    page = (await request(port, "/sim/")).body.decode()
    for path in set(re.findall(r'(?:href|src)="(/sim/static/[^"]+)"', page)):
        response = await request(port, path)
        assert response.status == 200
        assert (await request(port, path, headers={"If-None-Match": response.headers["etag"]})).status == 304


async def events(port: int, query: str, *, last: str = "") -> AsyncGenerator[tuple[str, dict[str, object]]]:
    """The events of a stream as they come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /sim/events?{query} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {last}\r\n\r\n".encode())
        name = ""
        while line := (await reader.readline()).decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))
    finally:
        writer.close()
        await writer.wait_closed()


async def test_news_come_by_themselves(simulator: Simulator, port: int) -> None:
    stream = events(port, f"to={NUMBER}&since=0")
    assert await anext(stream) == ("hello", {"epoch": simulator.box.epoch})
    await submit(port, golden("12399470100"))
    await submit(port, golden())
    assert (await anext(stream))[0] == "note"
    assert await anext(stream) == ("message", {"id": 2, "to": NUMBER, "kind": "MMS"})
    await stream.aclose()


async def test_a_reconnecting_page_hears_what_it_missed(simulator: Simulator, port: int) -> None:
    for _ in range(3):
        simulator.box.add(sms())
    stream = events(port, "since=0", last="2")
    await anext(stream)
    assert (await anext(stream))[1]["id"] == 3
    await stream.aclose()


async def test_a_bad_stream_is_told(port: int) -> None:
    assert (await request(port, "/sim/events?to=abc")).status == 400


async def test_text_parts_carry_their_text(port: int) -> None:
    await submit(port, golden(smil=None, parts=[WORDS]))
    (entry,) = await messages(port)
    slides = entry["slides"]
    assert isinstance(slides, list)
    assert slides[0]["parts"][0]["text"] == "Hi"
    assert (slides[0]["duration_ms"], entry["smil"]) == (0, None)
