"""``mmsgate simulator mo``: the form that it posts, and what it says of the answer."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from mmsgate.cli.main import cli
from mmsgate.errors import Fault


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["simulator", "mo", "--from", "+12065550100", *words])


@contextmanager
def answering(body: bytes, posted: list[tuple[str, Headers, bytes]]) -> Iterator[str]:
    """A server that keeps what is posted and answers with `body`; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            read = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, Headers(dict(self.headers)), read))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
            """Says nothing: the tests look at what came."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def fields(headers: Headers, body: bytes) -> list[tuple[str, object]]:
    """Name and text of each field, or name, type and bytes of a file."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    form = await MultiPartParser(headers, stream()).parse()
    found: list[tuple[str, object]] = [
        (name, value if isinstance(value, str) else (value.filename, value.content_type, await value.read()))
        for name, value in form.multi_items()
    ]
    await form.close()
    return found


def test_every_option_is_a_field_of_the_form(tmp_path: Path) -> None:
    photo = tmp_path / "фото 1.jpg"
    photo.write_bytes(b"\xff\xd8\r\n")
    posted: list[tuple[str, Headers, bytes]] = []
    with answering(b'{"taken": true, "why": ""}', posted) as url:
        words = ("--text", "Grüße", "--subject", "Hi", "--cc", "1", "--cc", "2", "--twice", "--file", str(photo))
        result = run(*words, "--url", url)
    assert (result.exit_code, result.output) == (0, "taken by the gateway\n")
    ((path, headers, body),) = posted
    assert path == "/sim/phones/12065550100/messages"
    assert asyncio.run(fields(headers, body)) == [
        ("to", "28444"), ("text", "Grüße"), ("subject", "Hi"), ("kind", "mms"), ("twice", "1"),
        ("cc", "1"), ("cc", "2"), ("file", ("фото 1.jpg", "image/jpeg", b"\xff\xd8\r\n")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"taken": false, "why": "HTTP 401"}', "not taken: HTTP 401"),
        (b"<html>", "there is no simulator"),
        (b"[]", "there is no simulator"),
    ],
)
def test_what_was_not_taken_ends_the_command_with_the_reason(body: bytes, says: str) -> None:
    with answering(body, []) as url:
        result = run("--text", "hi", "--url", url)
    assert isinstance(result.exception, Fault)
    assert says in str(result.exception)


def test_no_simulator_and_no_number_are_told() -> None:
    result = run("--text", "hi", "--url", "http://127.0.0.1:9")
    assert "can't be reached" in str(result.exception)
    refused = CliRunner().invoke(cli, ["simulator", "mo", "--from", "me", "--text", "hi"])
    assert (refused.exit_code, "is no number" in refused.output) == (2, True)
