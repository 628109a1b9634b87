"""What can come of a post: answered, provably not sent, or lost from the moment the body began."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from mmsgate.http import ANSWER_LIMIT, Answered, HttpClient, Lost, NotSent, Pool, Timeouts
from tests.integration.http.origin import Exchange, Origin

BODY = (b"<env/>", b"\x00" * 200_000, memoryview(b"tail"), b"")
BRIEF = Timeouts(connect=0.2, idle=0.2, total=5)
CERTIFICATE = Path(__file__).parent / "loopback.pem"
HEADERS = {"Content-Type": "multipart/related", "SOAPAction": '""'}


@pytest.fixture
async def pool(client: HttpClient) -> AsyncIterator[Pool]:
    made = client.pool(limit=4, keepalive=30)
    yield made
    await made.close()


async def post(pool: Pool, url: str, **more: Timeouts) -> Answered | NotSent | Lost:
    return await pool.post(url, headers=HEADERS, buffers=BODY, **more)


async def accepted(exchange: Exchange) -> None:
    await exchange.answer(b"<ok/>", X_Id="7")


@pytest.mark.parametrize(
    "buffers",
    [(), (b"",), (b"a",), (b"a", b"b"), BODY, BODY[::-1], (b"x" * 20_000,), (b"x" * 20_000, b"y" * 300_000, b"z")],
)
async def test_buffers_arrive_as_one_body_with_its_length(
    pool: Pool, origin: Origin, buffers: tuple[bytes | memoryview, ...]
) -> None:
    origin.routes["/mm7"] = accepted
    outcome = await pool.post(origin.url("/mm7"), headers=HEADERS, buffers=buffers)
    assert outcome == Answered(status=200, headers={"content-length": "5", "x-id": "7"}, body=b"<ok/>")
    request = origin.seen[0]
    assert request.body == b"".join(buffers)
    assert request.headers["content-length"] == str(len(request.body))
    assert request.headers["content-type"] == "multipart/related"
    assert "transfer-encoding" not in request.headers
    assert "expect" not in request.headers


async def test_connections_are_kept(pool: Pool, origin: Origin) -> None:
    origin.routes["/"] = accepted
    for _ in range(3):
        assert isinstance(await post(pool, origin.url("/")), Answered)
    assert origin.connections == 1


async def test_every_status_is_an_answer_and_no_redirect_is_followed(pool: Pool, origin: Origin) -> None:
    async def elsewhere(exchange: Exchange) -> None:
        await exchange.answer(status=307, Location="/other")

    async def fault(exchange: Exchange) -> None:
        await exchange.answer(b"<fault/>", status=500)

    origin.routes |= {"/moved": elsewhere, "/fault": fault}
    moved = await post(pool, origin.url("/moved"))
    broken = await post(pool, origin.url("/fault"))
    assert isinstance(moved, Answered)
    assert isinstance(broken, Answered)
    assert (moved.status, broken.status, broken.body) == (307, 500, b"<fault/>")
    assert origin.hits["/other"] == 0


async def test_a_long_answer_is_cut(pool: Pool, origin: Origin) -> None:
    async def talkative(exchange: Exchange) -> None:
        await exchange.answer(b"x" * (ANSWER_LIMIT + 1))

    origin.routes["/"] = talkative
    outcome = await post(pool, origin.url("/"))
    assert isinstance(outcome, Answered)
    assert outcome.cut
    assert len(outcome.body) == ANSWER_LIMIT


async def test_nothing_listens(pool: Pool) -> None:
    outcome = await post(pool, f"http://127.0.0.1:{free_port()}/")
    assert outcome == NotSent(reason="no connection: Connection refused")


async def test_an_unknown_host(origin: Origin) -> None:
    def lookup(host: str) -> list[str]:
        raise OSError(-2, f"{host} is unknown")

    client = HttpClient(lookup=lookup)
    await client.start()
    outcome = await post(client.pool(limit=1), "http://mmsc.example/")
    await client.stop()
    assert outcome == NotSent(reason="the host name could not be resolved")


async def test_a_url_that_is_none(pool: Pool) -> None:
    assert isinstance(await post(pool, "mmsc"), NotSent)
    assert isinstance(await post(pool, "http://"), NotSent)


async def test_no_tls_at_the_other_end(pool: Pool, origin: Origin) -> None:
    outcome = await post(pool, origin.url("/").replace("http:", "https:"), timeouts=BRIEF)
    assert isinstance(outcome, NotSent)
    assert origin.seen == []


async def test_a_tls_handshake_that_stalls(pool: Pool) -> None:
    """The kernel accepts, nobody answers the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = await post(pool, f"https://127.0.0.1:{silent.getsockname()[1]}/", timeouts=BRIEF)
    assert outcome == NotSent(reason="no connection within 0.2 s")


async def test_a_certificate_that_is_not_trusted(pool: Pool) -> None:
    async with tls_origin() as url:
        outcome = await post(pool, url)
    assert outcome == NotSent(reason="the TLS certificate is not valid for the host")


async def test_a_private_certificate_authority(client: HttpClient) -> None:
    trusting = client.pool(limit=1, tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
    async with tls_origin() as url:
        outcome = await post(trusting, url)
        await trusting.close()
    assert isinstance(outcome, Answered)


async def test_a_peer_that_wants_another_certificate_has_read_nothing(client: HttpClient) -> None:
    """In TLS 1.3 it says so when our side takes the handshake for done: the message is not in doubt."""
    trusting = client.pool(limit=1, tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
    async with demanding_origin() as url:
        outcome = await post(trusting, url)
        await trusting.close()
    assert outcome == NotSent(reason="the peer refused our TLS certificate, or that we have none")


async def test_cut_in_the_middle_of_the_body(pool: Pool) -> None:
    """The peer takes the head and a part of the body, then resets the connection."""

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    server = await asyncio.start_server(cutting, "127.0.0.1", 0, limit=1 << 10)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    outcome = await pool.post(url, headers=HEADERS, buffers=[b"x" * 30_000_000])
    server.close()
    await server.wait_closed()
    assert isinstance(outcome, Lost)


async def test_cut_after_the_body(pool: Pool, origin: Origin) -> None:
    async def cutting(exchange: Exchange) -> None:
        exchange.hang_up()

    origin.routes["/"] = cutting
    outcome = await post(pool, origin.url("/"))
    assert outcome == Lost(reason="the peer closed the connection without an answer")
    assert origin.hits["/"] == 1


async def test_cut_after_the_body_on_a_kept_connection_is_not_sent_again(pool: Pool, origin: Origin) -> None:
    """The HTTP library repeats idempotent requests on kept connections; a post must not be one of them."""

    async def cutting(exchange: Exchange) -> None:
        exchange.hang_up()

    origin.routes |= {"/good": accepted, "/cut": cutting}
    assert isinstance(await post(pool, origin.url("/good")), Answered)
    assert isinstance(await post(pool, origin.url("/cut")), Lost)
    assert origin.hits["/cut"] == 1
    assert origin.connections == 1


@pytest.mark.parametrize(
    "half",
    [b"HTTP/1.1 200 OK\r\nConte", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n<ok", b"nonsense\r\n\r\n"],
)
async def test_half_an_answer(pool: Pool, origin: Origin, half: bytes) -> None:
    async def cutting(exchange: Exchange) -> None:
        await exchange.send(half)
        exchange.hang_up()

    origin.routes["/"] = cutting
    assert isinstance(await post(pool, origin.url("/")), Lost)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>", b"<ok/>"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n<o\r\n3\r\nk/>\r\n0\r\n\r\n", b"<ok/>"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\nX: 1\r\nX: 2\r\n\r\n<ok/>", b"<ok/>"),
    ],
    ids=["after an interim answer", "in chunks", "no body", "until the connection ends"],
)
async def test_every_way_to_end_an_answer(pool: Pool, origin: Origin, said: bytes, told: bytes) -> None:
    async def answering(exchange: Exchange) -> None:
        for at in range(0, len(said), 7):
            await exchange.send(said[at : at + 7])
        exchange.hang_up()

    origin.routes["/"] = answering
    outcome = await post(pool, origin.url("/"))
    assert isinstance(outcome, Answered)
    assert outcome.body == told
    assert outcome.headers.get("x", "1") == "1"


@pytest.mark.parametrize(
    "more",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y", b"x"],
    ids=["a second answer", "half a second answer", "a stray byte"],
)
async def test_a_connection_that_says_more_than_it_was_asked_is_not_used_again(
    pool: Pool, origin: Origin, more: bytes
) -> None:
    async def talkative(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>" + more)

    origin.routes |= {"/talkative": talkative, "/": accepted}
    await post(pool, origin.url("/talkative"))
    assert isinstance(await post(pool, origin.url("/")), Answered)
    assert origin.connections == 2


async def test_an_endless_head_is_no_answer(pool: Pool, origin: Origin) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await exchange.send(b"X: " + b"y" * 1000 + b"\r\n")

    origin.routes["/"] = endless
    assert await post(pool, origin.url("/")) == Lost(reason="the answer is not HTTP")


async def test_a_header_that_is_given_replaces_the_usual_one(pool: Pool, origin: Origin) -> None:
    origin.routes["/"] = accepted
    await pool.post(origin.url("/"), headers={"user-agent": "mine"}, buffers=())
    await pool.post(origin.url("/"), headers={}, buffers=())
    assert [request.headers["user-agent"] for request in origin.seen] == ["mine", "mmsgate"]


async def test_a_line_end_in_a_header_is_not_sent(pool: Pool, origin: Origin) -> None:
    outcome = await pool.post(origin.url("/"), headers={"X": "1\r\nY: 2"}, buffers=BODY)
    assert isinstance(outcome, NotSent)
    assert origin.connections == 0


@pytest.mark.parametrize(
    ("headers", "sent"), [({}, "Basic dTpw"), ({"Authorization": "Bearer x"}, "Bearer x")], ids=["alone", "beside"]
)
async def test_credentials_in_a_url_count_where_there_are_no_others(
    pool: Pool, origin: Origin, headers: dict[str, str], sent: str
) -> None:
    origin.routes["/"] = accepted
    await pool.post(origin.url("/").replace("://", "://u:p@"), headers=headers, buffers=BODY)
    assert origin.seen[0].headers["authorization"] == sent


async def test_an_idle_connection_is_closed_after_its_time(client: HttpClient, origin: Origin) -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        closed.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        pool = client.pool(limit=1, keepalive=0.05)
        assert isinstance(await pool.post(url, headers={}, buffers=()), Answered)
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_pool_serves_more_peers_than_it_has_connections(client: HttpClient) -> None:
    narrow = client.pool(limit=1)
    async with Origin() as first, Origin() as second:
        for origin in (first, second, first):
            origin.routes["/"] = accepted
            assert isinstance(await post(narrow, origin.url("/")), Answered)
        assert (first.connections, second.connections) == (2, 1)
        await narrow.close()


async def test_no_answer_in_time(pool: Pool, origin: Origin) -> None:
    origin.routes["/"] = Exchange.stall
    assert await post(pool, origin.url("/"), timeouts=BRIEF) == Lost(reason="nothing came for 0.2 s")
    total = Timeouts(total=0.2)
    assert await post(pool, origin.url("/"), timeouts=total) == Lost(reason="no complete answer within 0.2 s")


async def test_waiting_for_a_connection_is_not_sending(client: HttpClient, origin: Origin) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def waiting(exchange: Exchange) -> None:
        reached.set()
        await release.wait()
        await exchange.answer()

    origin.routes |= {"/slow": waiting, "/": accepted}
    narrow = client.pool(limit=1)
    first = asyncio.create_task(post(narrow, origin.url("/slow")))
    await reached.wait()
    assert isinstance(await post(narrow, origin.url("/"), timeouts=Timeouts(total=0.1)), NotSent)
    assert isinstance(await post(client.pool(limit=1), origin.url("/")), Answered)  # another's pool is free
    release.set()
    assert isinstance(await first, Answered)
    assert origin.hits["/"] == 1


async def test_a_kept_connection_that_the_peer_has_closed_costs_nothing(pool: Pool) -> None:
    """The FIN has arrived but the event loop has not seen it: found before the body, so sent once, anew."""
    with StalePeer() as peer:
        assert isinstance(await post(pool, peer.url), Answered)
        peer.hang_up()  # blocks until the FIN is out; the event loop gets no turn before the next post
        outcome = await post(pool, peer.url)
    assert isinstance(outcome, Answered)
    assert peer.bodies == [b"".join(BODY)] * 2
    assert peer.connections == 2


async def test_a_stopped_client_sends_nothing(client: HttpClient, pool: Pool, origin: Origin) -> None:
    origin.routes["/"] = accepted
    assert isinstance(await post(pool, origin.url("/")), Answered)
    await client.stop()
    assert await post(pool, origin.url("/")) == NotSent(reason="the HTTP client is not running")
    await client.start()
    assert isinstance(await post(pool, origin.url("/")), Answered)


async def test_stopping_under_way_leaves_an_outcome(client: HttpClient, pool: Pool, origin: Origin) -> None:
    reached = asyncio.Event()

    async def waiting(exchange: Exchange) -> None:
        reached.set()
        await exchange.stall()

    origin.routes["/"] = waiting
    under_way = asyncio.create_task(post(pool, origin.url("/")))
    await reached.wait()
    await client.stop()
    assert isinstance(await under_way, Lost)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class StalePeer:
    """A server in a thread that answers and, when told, closes its connection while nobody looks."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(5)
        self._close, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def __enter__(self) -> "StalePeer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._server.close()

    def hang_up(self) -> None:
        self._close.set()
        assert self._closed.wait(5)

    def _serve(self) -> None:
        for _ in range(2):
            connection, _peer = self._server.accept()
            self.connections += 1
            with connection:
                self.bodies.append(self._request(connection))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                assert self._close.wait(5)
            self._closed.set()

    def _request(self, connection: socket.socket) -> bytes:
        with connection.makefile("rb") as stream:
            length = 0
            while line := stream.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            return stream.read(length)


@asynccontextmanager
async def tls_origin() -> AsyncIterator[str]:
    """A TLS server that answers every request; its certificate is self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(sum(map(len, BODY)))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def demanding_origin() -> AsyncIterator[str]:
    """A TLS server that demands a certificate. It reads until we hang up, so that no reset loses its alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        refused = False
        while not refused:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
            except ssl.SSLError:
                refused = True
        writer.write(outgoing.read())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
