"""Where a call comes from (E112), how much of it is read, and what the log shows of its path."""

import logging
from collections.abc import Iterable, Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from mmsgate.api.call import BodyTooLarge, Callers, RequestIds, masked_path, read_body


def a_request(peer: str | None, forwarded: Iterable[str] = (), *, header: str = "X-Forwarded-For") -> Request:
    """A call from `peer` with one header for each of `forwarded`."""
    headers = [(header.lower().encode(), value.encode("latin-1")) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 51234) if peer else None})


PROXY, OTHER_PROXY, CALLER, SPOOFED = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.1"
TRUSTED = ("10.0.0.0/8", "2001:db8:1::/48")


# -- without a trusted proxy


@pytest.mark.parametrize("trusted", [(), TRUSTED])
def test_a_caller_that_is_no_trusted_proxy_is_itself_whatever_it_claims(trusted: Sequence[str]) -> None:
    assert Callers(trusted).address(a_request(CALLER, [SPOOFED])) == CALLER


def test_without_trusted_proxies_a_private_address_is_not_trusted_either() -> None:
    assert Callers(()).address(a_request(PROXY, [SPOOFED])) == PROXY


def test_a_call_without_an_address_has_none_and_is_not_trusted() -> None:
    assert Callers(TRUSTED).address(a_request(None, [SPOOFED])) == ""


# -- through trusted proxies


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ([CALLER], CALLER),
        ([f"  {CALLER}\t"], CALLER),
        ([f"{SPOOFED}, {CALLER}"], CALLER),
        ([f"{SPOOFED},{CALLER}"], CALLER),
        ([f"127.0.0.1, {SPOOFED}, {CALLER}"], CALLER),
        ([f"{CALLER}, {OTHER_PROXY}"], CALLER),
        ([f"{SPOOFED}, {CALLER}, {OTHER_PROXY}, 10.9.9.9"], CALLER),
        ([f"{OTHER_PROXY}, {CALLER}"], CALLER),
        ([SPOOFED, CALLER], CALLER),
        ([CALLER, OTHER_PROXY], CALLER),
        ([SPOOFED, f"{CALLER}, {OTHER_PROXY}"], CALLER),
        ([f"{CALLER}, ,"], CALLER),
    ],
)
def test_the_right_most_address_that_is_no_trusted_proxy_is_the_callers(
    forwarded: list[str], expected: str
) -> None:
    assert Callers(TRUSTED).address(a_request(PROXY, forwarded)) == expected


@pytest.mark.parametrize("forwarded", [[], [""], [" , "], [OTHER_PROXY], [f"{OTHER_PROXY}, 10.1.1.1"]])
def test_where_only_proxies_are_named_the_peer_is_the_caller(forwarded: list[str]) -> None:
    assert Callers(TRUSTED).address(a_request(PROXY, forwarded)) == PROXY


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown",
        "10.0.0.1.evil",
        "10.0.0.1:http",
        "[10.0.0.1",
        "10.0.0.1]:80",
        "<script>",
        "_hidden",
        "999.1.1.1",
        "é",
    ],
)
def test_garbage_is_never_taken_for_a_trusted_proxy(garbage: str) -> None:
    """What it hides stays hidden: an address further left, which anybody may have written, is not believed."""
    assert Callers(TRUSTED).address(a_request(PROXY, [f"{SPOOFED}, {garbage}"])) == garbage


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Forwarded-Host"])
def test_no_other_header_is_believed(header: str) -> None:
    assert Callers(TRUSTED).address(a_request(PROXY, [SPOOFED], header=header)) == PROXY


# -- IPv6


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("2001:db8:1::5", ["2001:db8:2::7"], "2001:db8:2::7"),
        ("2001:db8:1::5", ["2001:db8:2::7, 2001:db8:1:ffff::1"], "2001:db8:2::7"),
        ("2001:db8:1::5", [CALLER], CALLER),
        (PROXY, ["2001:db8:2::7"], "2001:db8:2::7"),
        ("2001:db8:2::7", [SPOOFED], "2001:db8:2::7"),
        ("2001:db8:1:0:0:0:0:5", [CALLER], CALLER),
    ],
)
def test_ipv6_proxies_and_callers_are_told_apart_like_ipv4(peer: str, forwarded: list[str], expected: str) -> None:
    assert Callers(TRUSTED).address(a_request(peer, forwarded)) == expected


def test_a_socket_for_both_kinds_of_address_trusts_the_same_proxies() -> None:
    """A socket bound to :: shows IPv4 peers as ::ffff:10.0.0.1."""
    mapped = f"::ffff:{PROXY}"
    assert Callers(TRUSTED).address(a_request(mapped, [CALLER])) == CALLER
    assert Callers(TRUSTED).address(a_request(PROXY, [f"{CALLER}, {mapped}"])) == CALLER
    assert Callers(TRUSTED).address(a_request(f"::ffff:{CALLER}", [SPOOFED])) == CALLER
    assert Callers(TRUSTED).address(a_request(PROXY, [f"{SPOOFED}, ::ffff:{CALLER}"])) == CALLER


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (f"{SPOOFED}, {CALLER}:5123", CALLER),
        ("[2001:db8:2::7]:443", "2001:db8:2::7"),
        ("[2001:db8:2::7]", "2001:db8:2::7"),
        (f"{CALLER}:5123, {OTHER_PROXY}:80", CALLER),
        (f"{CALLER}, [2001:db8:1::5]:80", CALLER),
        (f"{CALLER}, [::ffff:{OTHER_PROXY}]:80", CALLER),
    ],
)
def test_a_port_behind_an_address_is_not_part_of_it(forwarded: str, expected: str) -> None:
    assert Callers(TRUSTED).address(a_request(PROXY, [forwarded])) == expected


@pytest.mark.parametrize("trusted", ["10.0.0.1", "10.0.0.1/8", "10.0.0.1/32"])
def test_a_trusted_network_may_be_written_as_an_address_in_it(trusted: str) -> None:
    assert Callers([trusted]).address(a_request(PROXY, [CALLER])) == CALLER


def test_a_trusted_network_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="proxy-example"):
        Callers(["proxy-example"])


# -- the log

TOKEN = "abcdefghijKLMNOPQR0123"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/m/{TOKEN}", "/m/ab…23"),
        (f"/m/{TOKEN}/seen", "/m/ab…23/seen"),
        (f"/m/{TOKEN}/s1.jpg", "/m/ab…23/s1.jpg"),
        (f"/m/{TOKEN}/", "/m/ab…23/"),
        (f"/m/{TOKEN}.", "/m/ab…23."),
        (f"/m/{TOKEN})", "/m/ab…23)"),
        (f"/m/{TOKEN}XYZ", "/m/ab…YZ"),
        ("/sim/phones/12065550100", "/sim/phones/12…00"),
        ("/sim/phones/+12065550100", "/sim/phones/+12…00"),
        ("/sim/phones/12065550100/messages/3", "/sim/phones/12…00/messages/3"),
        (f"/m/{TOKEN}/{TOKEN}", "/m/ab…23/ab…23"),
        ("/12065550100", "/12…00"),
        ("/to12065550100", "/to12•••••0100"),
    ],
)
def test_tokens_and_numbers_cannot_be_read_from_the_log(path: str, shown: str) -> None:
    assert masked_path(path) == shown


@pytest.mark.parametrize(
    "path",
    ["/", "", "/ep/v1/", "/API/wxml/1.3/index.php", "/mm7/sim", "/errors/E110", "/sim/phones/28444", "/healthz"],
)
def test_any_other_path_is_shown_as_it_is(path: str) -> None:
    assert masked_path(path) == path


async def test_a_refusals_note_shows_no_number(caplog: pytest.LogCaptureFixture) -> None:
    """E627 says which service is not usable with which number: to the caller, not to the log."""
    caplog.set_level(logging.INFO, "mmsgate.api")

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["state"]["note"] = "E627 service-id '4915123456789' is not usable with 12065550100"
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def nothing() -> Message:
        raise AssertionError

    async def ignore(_: Message) -> None:
        """Nobody reads the answer."""

    await RequestIds(app)({"type": "http", "method": "POST", "path": "/ep/v1/"}, nothing, ignore)
    assert "E627 service-id '49•••••••6789' is not usable with 12•••••0100" in caplog.text


# -- the body


def a_body(*pieces: bytes, announced: str | None = None) -> tuple[Request, list[bytes]]:
    """A call whose body comes in pieces, and the pieces that nobody has read yet."""
    waiting = list(pieces)

    async def receive() -> Message:
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    headers = [] if announced is None else [(b"content-length", announced.encode("latin-1"))]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive), waiting


@pytest.mark.parametrize("announced", [None, "6", "0", "-1", "six"])
async def test_a_body_up_to_the_limit_is_read_whole(announced: str | None) -> None:
    request, _ = a_body(b"abc", b"def", announced=announced)
    assert await read_body(request, 6) == b"abcdef"


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    request, waiting = a_body(b"abc", announced="7")
    with pytest.raises(BodyTooLarge, match="more than 6 bytes"):
        await read_body(request, 6)
    assert waiting == [b"abc"]


async def test_a_body_that_lies_about_its_length_is_read_no_further_than_the_limit() -> None:
    request, waiting = a_body(b"abcd", b"efg", b"hij", announced="4")
    with pytest.raises(BodyTooLarge):
        await read_body(request, 6)
    assert waiting == [b"hij"]


async def test_a_length_in_other_digits_is_no_fault_of_ours() -> None:
    request, _ = a_body(b"abc", announced="²")
    assert await read_body(request, 6) == b"abc"
