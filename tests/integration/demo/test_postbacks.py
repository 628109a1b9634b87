"""The inbox over HTTP: what the gateway posts, what a person sees, what a script gets."""

import asyncio
import html
from collections.abc import AsyncIterator

import aiohttp
import pytest

from mmsgate.clock import ManualClock
from mmsgate.demo.inbox import Inbox
from mmsgate.demo.routes import MAX_BODY, SHOWN, SHOWN_BODY
from mmsgate.postbacks.signature import new_secret, sign

POSTBACKS = "/demo/postbacks"


def body(tracking_id: str, code: str = "N101") -> bytes:
    return (
        f"<postback><code>{code}</code><to>12399471613</to><tracking-id>{tracking_id}</tracking-id></postback>"
    ).encode()


async def post(browser: aiohttp.ClientSession, data: bytes, **headers: str) -> int:
    async with browser.post(POSTBACKS, data=data, headers=headers) as answer:
        return answer.status


async def page(browser: aiohttp.ClientSession, query: str = "") -> str:
    async with browser.get(POSTBACKS + query) as answer:
        assert answer.status == 200
        return await answer.text()


async def as_json(browser: aiohttp.ClientSession, query: str = "") -> list[dict[str, object]]:
    async with browser.get(f"/demo/postbacks.json{query}") as answer:
        assert answer.status == 200
        found: list[dict[str, object]] = await answer.json()
        return found


async def test_a_postback_is_taken_and_given_out_again(browser: aiohttp.ClientSession, inbox: Inbox) -> None:
    secret = inbox.secret = new_secret()
    now = ManualClock().now() // 1000
    headers = {
        "X-Sequence": "2",
        "X-Event-Time": "2026-01-02T09:30:47+00:00",
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(now),
        "Webhook-Signature": sign([secret], identifier="msg_1", timestamp=now, body=body("abc")),
        "Content-Type": "text/xml; charset=utf-8",
        "Authorization": "not kept",
    }
    assert await post(browser, body("abc"), **headers) == 200
    assert await as_json(browser) == [
        {
            "sequence": 2,
            "code": "N101",
            "tracking_id": "abc",
            "received_at": "2026-01-02T09:30:47Z",
            "signature": "ok",
            "body": body("abc").decode(),
            "headers": {name.lower(): value for name, value in headers.items() if name != "Authorization"},
        }
    ]


async def test_the_page_shows_the_newest_first_in_plain_words(browser: aiohttp.ClientSession) -> None:
    await post(browser, body("abc", "N101"))
    await post(browser, body("abc", "N102"))
    shown = await page(browser)
    assert shown.index("N102") < shown.index("N101")
    for part in ["delivered", "sent", "abc", "12399471613", "2026-01-02T09:30:47Z", "not checked"]:
        assert part in shown
    assert html.escape(body("abc").decode()) in shown
    assert '<a class="button" href="" data-refresh>' in shown  # for browsers without script


async def test_the_page_can_be_of_one_message(browser: aiohttp.ClientSession) -> None:
    await post(browser, body("abc"))
    await post(browser, body("xyz"))
    shown = await page(browser, "?tracking-id=xyz")
    assert "xyz" in shown
    assert "abc" not in shown


async def test_a_page_is_guarded_by_its_headers(browser: aiohttp.ClientSession) -> None:
    async with browser.get(POSTBACKS) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "hostile",
    [
        b"<script>alert(1)</script>",
        b"<postback><code>&lt;script&gt;alert(1)&lt;/script&gt;</code></postback>",
        b"<postback><tracking-id>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</tracking-id></postback>",
        b"<postback><code>N101</code><to>&lt;script&gt;</to><status-details>&lt;script&gt;</status-details></postback>",
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><postback><code>&b;</code></postback>',
        b"\x00\x1b[2J\xff\xfe<script>\x08",
        "\u202e<script>\ud7ff".encode(),
        b"",
    ],
)
async def test_a_hostile_body_is_shown_and_does_nothing(hostile: bytes, browser: aiohttp.ClientSession) -> None:
    assert await post(browser, hostile, **{"X-Sequence": "<script>", "Webhook-Id": "</pre><script>"}) == 200
    shown = await page(browser)
    assert shown.count("<script") == 1  # the page's own, in its head
    assert "What arrived" in shown
    assert "root:" not in shown
    assert not {"\x00", "\x1b", "\x08", "\u202e"} & set(shown)
    (found,) = await as_json(browser)
    assert found["body"] == hostile.decode(errors="replace")


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413), (4 * MAX_BODY, 413)])
async def test_a_body_has_a_limit(size: int, status: int, browser: aiohttp.ClientSession, inbox: Inbox) -> None:
    assert await post(browser, b"x" * size) == status
    assert len(inbox.entries()) == (status == 200)


async def test_a_body_without_a_length_has_the_same_limit(browser: aiohttp.ClientSession, inbox: Inbox) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * MAX_BODY

    async with browser.post(POSTBACKS, data=endless()) as answer:
        assert answer.status == 413
    assert inbox.entries() == []


async def test_the_page_stays_small_whatever_comes(browser: aiohttp.ClientSession, inbox: Inbox) -> None:
    for _ in range(SHOWN + 1):
        inbox.receive(b"<" * MAX_BODY, {})
    shown = await page(browser)
    assert shown.count('<li class="card postback') == SHOWN
    assert "1 older one in" in shown
    assert f"… {MAX_BODY - SHOWN_BODY:,} more characters" in shown
    assert len(shown) < 3_000_000


async def test_a_script_waits_for_the_first_of_its_message(browser: aiohttp.ClientSession, inbox: Inbox) -> None:
    waiting = asyncio.create_task(as_json(browser, "?tracking-id=abc&wait=60s"))
    await post(browser, body("other"))
    assert not waiting.done()
    await post(browser, body("abc"))
    assert [found["tracking_id"] for found in await waiting] == ["abc"]
    assert len(await as_json(browser, "?wait=60s")) == 2  # there are some: no waiting


async def test_a_script_that_waits_in_vain_gets_an_empty_list(browser: aiohttp.ClientSession) -> None:
    assert await as_json(browser, "?wait=1ms") == []


async def test_a_script_is_told_what_is_wrong_with_its_query(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/demo/postbacks.json?wait=soon") as answer:
        assert answer.status == 400
        assert "wait must be a time" in (await answer.json())["error"]


async def test_an_open_page_hears_of_news_and_is_let_go_at_the_end(
    browser: aiohttp.ClientSession, inbox: Inbox
) -> None:
    async with browser.get(f"{POSTBACKS}/events", params={"since": str(inbox.revision)}) as answer:
        assert answer.content_type == "text/event-stream"
        await post(browser, body("abc"))
        assert await answer.content.readline() == f"id: {inbox.revision}\n".encode()
        assert await answer.content.readline() == b"event: change\n"
        inbox.close()
        assert b"event: change" not in await answer.content.read()


async def test_the_inbox_can_be_emptied(browser: aiohttp.ClientSession) -> None:
    await post(browser, body("abc"))
    async with browser.delete(POSTBACKS) as answer:
        assert answer.status == 204
    assert await as_json(browser) == []
    assert "Nothing has arrived yet" in await page(browser)


async def test_other_methods_are_refused(browser: aiohttp.ClientSession) -> None:
    async with browser.put(POSTBACKS, data=b"x") as answer:
        assert answer.status == 405


async def test_an_inbound_picture_is_shown_and_other_files_are_links(browser: aiohttp.ClientSession) -> None:
    content = "".join(f"<file>http://gw.example/mo/t/{name}</file>" for name in ("1.jpg", "2.html"))
    await post(
        browser,
        f"<postback><origin>MMS_MO</origin><code>N401</code><from>17745550001</from><content>{content}"
        "<file>javascript:alert(1)</file></content></postback>".encode(),
    )
    shown = (await page(browser)).partition("<details>")[0]
    assert '<img src="http://gw.example/mo/t/1.jpg" alt="1.jpg" loading="lazy">' in shown
    assert '<a href="http://gw.example/mo/t/2.html" rel="noreferrer">2.html</a>' in shown
    assert "javascript" not in shown
    assert "17745550001" in shown
