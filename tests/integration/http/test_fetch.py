"""Fetching from origins that behave, stall, lie and redirect (API contract 5.4, R-04, R-26)."""

import asyncio
import gzip
import hashlib
from pathlib import Path

import pytest

from mmsgate.http import (
    AddressPolicy,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchProblem,
    HttpClient,
    NotModified,
    Timeouts,
)
from mmsgate.http.spool import SpoolError
from tests.integration.http.origin import Exchange, Handler, Origin

BRIEF = Timeouts(connect=0.2, idle=0.2, total=5)


def failed(outcome: FetchOutcome) -> FetchFailed:
    assert isinstance(outcome, FetchFailed), outcome
    return outcome


def raw(*pieces: bytes, hang_up: bool = True) -> Handler:
    """Answers with these bytes as they are."""

    async def handler(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send(piece)
        if hang_up:
            exchange.hang_up()

    return handler


def redirect(to: str, status: int = 302) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(status=status, Location=to)

    return handler


async def whole(exchange: Exchange) -> None:
    await exchange.answer(b"hello", Content_Type="image/jpeg", ETag='"1"')


async def test_a_file_lands_on_disk_with_its_hash(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    origin.routes["/a.jpg"] = whole
    outcome = await client.fetch(origin.url("/a.jpg?x=1#frag"), limit=5, folder=tmp_path)
    assert isinstance(outcome, Fetched)
    assert outcome.path.read_bytes() == b"hello"
    assert outcome.path.parent == tmp_path
    assert outcome.size == 5
    assert outcome.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert outcome.headers["content-type"] == "image/jpeg"
    asked = origin.seen[0].headers
    assert asked["accept-encoding"] == "identity"
    assert "cookie" not in asked


async def test_a_large_file_is_written_in_pieces(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4 * 1024 * 3

    async def large(exchange: Exchange) -> None:
        await exchange.answer(data)

    origin.routes["/"] = large
    outcome = await client.fetch(origin.url("/"), limit=len(data), folder=tmp_path)
    assert isinstance(outcome, Fetched)
    assert outcome.sha256 == hashlib.sha256(outcome.path.read_bytes()).hexdigest()
    assert outcome.size == len(data)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
)
async def test_no_content_length_is_accepted_unless_strict(
    client: HttpClient, origin: Origin, tmp_path: Path, answer: bytes
) -> None:
    origin.routes["/"] = raw(answer)
    outcome = await client.fetch(origin.url("/"), limit=100, folder=tmp_path)
    assert isinstance(outcome, Fetched)
    assert outcome.path.read_bytes() == b"hello"
    strict = await client.fetch(origin.url("/"), limit=100, folder=tmp_path, demand_length=True)
    assert failed(strict).kind is FetchProblem.NO_LENGTH


async def test_what_is_announced_too_big_is_not_read(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    origin.routes["/"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", hang_up=False)
    outcome = failed(await client.fetch(origin.url("/"), limit=1000, folder=tmp_path))
    assert outcome.kind is FetchProblem.TOO_BIG
    assert outcome.size == 1001
    assert outcome.reason == "it announces 1,001 bytes, 1,000 are allowed"


async def test_what_grows_too_big_is_cut_off(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    origin.routes["/"] = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 20)
    outcome = failed(await client.fetch(origin.url("/"), limit=300_000, folder=tmp_path))
    assert outcome.kind is FetchProblem.TOO_BIG
    assert outcome.size is not None
    assert 300_000 < outcome.size < 700_000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
    ],
)
async def test_a_body_shorter_than_announced_is_truncated(
    client: HttpClient, origin: Origin, tmp_path: Path, answer: bytes
) -> None:
    origin.routes["/"] = raw(answer)
    outcome = failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path))
    assert outcome.kind is FetchProblem.TRUNCATED
    assert "broke off after" in outcome.reason


async def test_a_body_longer_than_announced_never_becomes_the_next_answer(
    client: HttpClient, origin: Origin, tmp_path: Path
) -> None:
    origin.routes["/"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more", hang_up=False)
    assert failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path)).reason == (
        "the answer is not HTTP"
    )
    origin.routes["/"] = whole
    again = await client.fetch(origin.url("/"), limit=100, folder=tmp_path)
    assert isinstance(again, Fetched)
    assert again.path.read_bytes() == b"hello"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FetchProblem.UNREACHABLE),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FetchProblem.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", FetchProblem.UNREACHABLE),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", FetchProblem.STATUS),
        (b"HTTP/1.1 204 No Content\r\n\r\n", FetchProblem.STATUS),
        (b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx", FetchProblem.STATUS),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", FetchProblem.STATUS),
    ],
)
async def test_answers_that_are_no_file(
    client: HttpClient, origin: Origin, tmp_path: Path, answer: bytes, kind: FetchProblem
) -> None:
    origin.routes["/"] = raw(answer)
    assert failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path)).kind is kind


async def test_an_encoded_body_is_refused_unread(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    async def bomb(exchange: Exchange) -> None:
        await exchange.answer(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")

    origin.routes["/"] = bomb
    outcome = failed(await client.fetch(origin.url("/"), limit=100_000, folder=tmp_path))
    assert outcome.kind is FetchProblem.ENCODED
    assert list(tmp_path.iterdir()) == []


async def test_an_origin_that_stalls_before_the_head(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    origin.routes["/"] = Exchange.stall
    outcome = failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path, timeouts=BRIEF))
    assert outcome.kind is FetchProblem.TIMEOUT
    assert outcome.reason == "nothing came for 0.2 s"


async def test_an_origin_that_stalls_in_the_body(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    origin.routes["/"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", hang_up=False)
    outcome = failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path, timeouts=BRIEF))
    assert outcome.kind is FetchProblem.TIMEOUT


async def test_the_total_time_bounds_an_origin_that_drips(
    client: HttpClient, origin: Origin, tmp_path: Path
) -> None:
    origin.routes["/"] = Exchange.stall
    hasty = Timeouts(connect=5, idle=5, total=0.2)
    outcome = failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path, timeouts=hasty))
    assert outcome.kind is FetchProblem.TIMEOUT
    assert outcome.reason == "not complete after 0.2 s"


async def test_three_redirects_are_followed_four_are_not(
    client: HttpClient, origin: Origin, tmp_path: Path
) -> None:
    origin.routes |= {
        "/4": redirect("/3"),
        "/3": redirect("2", 301),
        "/2": redirect(origin.url("/1"), 307),
        "/1": redirect("/0", 308),
        "/0": whole,
    }
    good = await client.fetch(origin.url("/3"), limit=100, folder=tmp_path)
    assert isinstance(good, Fetched)
    assert good.url == origin.url("/0")
    assert failed(await client.fetch(origin.url("/4"), limit=100, folder=tmp_path)).kind is (FetchProblem.REDIRECTS)


async def test_a_circle_of_redirects_is_seen_at_once(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    origin.routes |= {"/a": redirect("/b"), "/b": redirect("/a")}
    outcome = failed(await client.fetch(origin.url("/a"), limit=100, folder=tmp_path))
    assert outcome.reason == "it redirects in a circle"
    assert origin.hits == {"/a": 1, "/b": 1}


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest",
        "http://2852039166/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://127.0.0.1:1/",
        "//10.0.0.1/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user:pw@example.com/",
    ],
)
async def test_every_redirect_is_judged_again(
    client: HttpClient, origin: Origin, tmp_path: Path, target: str
) -> None:
    origin.routes["/"] = redirect(target)
    outcome = failed(await client.fetch(origin.url("/"), limit=100, folder=tmp_path))
    assert outcome.kind is FetchProblem.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.jpg",
        "file:///etc/passwd",
        "/a.jpg",
        "a.jpg",
        "",
        "http://",
        "http:///a.jpg",
        "http://user@example.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://[::1",
        "http://127.0.0.1\\@example.com/",
        "http://a/" + "x" * 5000,
    ],
)
async def test_what_is_no_plain_web_address_is_refused(client: HttpClient, tmp_path: Path, url: str) -> None:
    assert failed(await client.fetch(url, limit=100, folder=tmp_path)).kind is FetchProblem.REFUSED


async def test_a_port_that_is_not_listed_is_refused_with_the_setting(client: HttpClient, tmp_path: Path) -> None:
    outcome = failed(await client.fetch("http://127.0.0.1:9000/", limit=100, folder=tmp_path))
    assert outcome.reason == "127.0.0.1 is a loopback address; fetch_allow does not list 127.0.0.1:9000"


async def test_names_are_judged_by_the_address_they_lead_to(origin: Origin, tmp_path: Path) -> None:
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return {"inside.example": ["10.0.0.5"], "both.example": ["127.0.0.1", "::1"]}[host]

    client = HttpClient(lookup=lookup)
    await client.start()
    inside = failed(await client.fetch("http://inside.example/", limit=1, folder=tmp_path))
    both = failed(await client.fetch(f"http://both.example:{origin.port}/", limit=1, folder=tmp_path))
    await client.stop()
    assert inside.kind is both.kind is FetchProblem.REFUSED
    assert inside.reason == (
        "inside.example leads to 10.0.0.5, a private address; fetch_allow does not list inside.example:80"
    )
    assert asked == ["inside.example", "both.example"]
    assert origin.connections == 0


async def test_a_listed_name_may_lead_inside(origin: Origin, tmp_path: Path) -> None:
    origin.routes["/"] = whole
    policy = AddressPolicy(frozenset({("media.example", origin.port)}))
    client = HttpClient(policy=policy, lookup=lambda _: ["127.0.0.1"])
    await client.start()
    outcome = await client.fetch(f"http://media.example:{origin.port}/", limit=10, folder=tmp_path)
    await client.stop()
    assert isinstance(outcome, Fetched)


async def test_a_name_that_changes_its_mind_wins_nothing(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filter of the lookup is taken away: the check of the very address connected to must hold alone."""
    monkeypatch.setattr("mmsgate.http.connection._permitted", lambda _, addresses: addresses)
    client = HttpClient(lookup=lambda _: ["127.0.0.1"])
    await client.start()
    outcome = failed(await client.fetch(f"http://rebound.example:{origin.port}/", limit=10, folder=tmp_path))
    await client.stop()
    assert outcome.kind is FetchProblem.REFUSED
    assert origin.connections == 0


async def test_the_connected_peer_is_judged_before_the_request_leaves(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both earlier checks are taken away: the connection stands, but no request goes over it."""
    monkeypatch.setattr("mmsgate.http.connection._permitted", lambda _, addresses: addresses)
    monkeypatch.setattr("mmsgate.http.connection._guarded_socket", None)
    client = HttpClient(lookup=lambda _: ["127.0.0.1"])
    await client.start()
    outcome = failed(await client.fetch(f"http://rebound.example:{origin.port}/", limit=10, folder=tmp_path))
    await client.stop()
    assert outcome.kind is FetchProblem.REFUSED
    assert origin.seen == []


async def test_revalidation(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    async def validator(exchange: Exchange) -> None:
        if exchange.headers.get("if-none-match") == '"1"':
            await exchange.send(b'HTTP/1.1 304 X\r\nETag: "1"\r\nCache-Control: max-age=5\r\n\r\n')
        else:
            await whole(exchange)

    origin.routes["/"] = validator
    outcome = await client.fetch(origin.url("/"), limit=10, folder=tmp_path, headers={"If-None-Match": '"1"'})
    assert isinstance(outcome, NotModified)
    assert outcome.headers["cache-control"] == "max-age=5"


async def test_an_unreachable_origin(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    policy = AddressPolicy(frozenset({("127.0.0.1", 1), ("nowhere.example", 80)}))

    def lookup(host: str) -> list[str]:
        raise OSError(-2, f"{host} is unknown")

    lonely = HttpClient(policy=policy, lookup=lookup)
    await lonely.start()
    refused = failed(await lonely.fetch("http://127.0.0.1:1/", limit=1, folder=tmp_path))
    unknown = failed(await lonely.fetch("http://nowhere.example/", limit=1, folder=tmp_path))
    await lonely.stop()
    assert refused.kind is unknown.kind is FetchProblem.UNREACHABLE
    assert unknown.reason == "the host name could not be resolved"


async def test_a_disk_that_fails_is_our_fault_not_the_origins(
    client: HttpClient, origin: Origin, tmp_path: Path
) -> None:
    origin.routes["/"] = whole
    with pytest.raises(SpoolError):
        await client.fetch(origin.url("/"), limit=10, folder=tmp_path / "missing")


async def test_failures_leave_nothing_on_disk(client: HttpClient, origin: Origin, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"
    origin.routes["/"] = raw(head, bytes(600_000))
    outcome = failed(await client.fetch(origin.url("/"), limit=1_000_000, folder=tmp_path))
    assert outcome.kind is FetchProblem.TRUNCATED
    await client.stop()
    await settled()
    assert list(tmp_path.iterdir()) == []


async def settled() -> None:
    """Waits for what was handed to the default threads before."""
    await asyncio.gather(*(asyncio.to_thread(int) for _ in range(64)))


async def test_start_and_stop_in_any_order(origin: Origin, tmp_path: Path) -> None:
    origin.routes["/"] = whole
    client = HttpClient(policy=AddressPolicy(frozenset({("127.0.0.1", origin.port)})))
    await client.stop()
    early = failed(await client.fetch(origin.url("/"), limit=10, folder=tmp_path))
    assert early.reason == "the HTTP client is not running"
    for _ in range(2):
        await client.start()
        await client.start()
        assert isinstance(await client.fetch(origin.url("/"), limit=10, folder=tmp_path), Fetched)
        await client.stop()
        await client.stop()
