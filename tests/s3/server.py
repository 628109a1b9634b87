"""Starts the S3 server, talks to it beside the store, and stands in its way."""

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

_PLAIN = {"Content-Type": "text/plain"}


def _signed(service: str) -> dict[str, str]:
    """Nobody looks at the signature, but what has none may not write what somebody else wrote."""
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/{service}/aws4_request, Signature=0"
    }


@dataclass(slots=True)
class S3Server:
    """A running server. Its buckets are shared by all tests: each takes a new one."""

    port: int
    ahead: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"bucket-{next(self._numbers)}"
        self.ask("PUT", f"/{name}")
        return name

    def advance(self, by: int) -> None:
        """Set its clock forward, by so many milliseconds."""
        self.ahead += by
        self.ask("POST", "/-/clock", str(self.ahead).encode())

    @contextmanager
    def guarded(self) -> Iterator[tuple[str, str]]:
        """It checks keys and rights meanwhile, as it does not otherwise; the key of somebody who may do nothing."""
        self.ask("POST", "/", b"Action=CreateUser&UserName=nobody&Version=2010-05-08", _signed("iam"))
        create_key = b"Action=CreateAccessKey&UserName=nobody&Version=2010-05-08"
        made = self.ask("POST", "/", create_key, _signed("iam")).decode()
        key, secret = (
            made.partition(f"<{tag}>")[2].partition("<")[0] for tag in ("AccessKeyId", "SecretAccessKey")
        )
        self.ask("POST", "/moto-api/reset-auth", b"0", _PLAIN)
        try:
            yield key, secret
        finally:
            self.ask("POST", "/moto-api/reset-auth", b"inf", _PLAIN)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        """One request."""
        headers = headers or {"Content-Type": "application/octet-stream", **_signed("s3")}
        request = urllib.request.Request(f"{self.url}{path}", method=method, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: bytes = answer.read()
            return found


@contextmanager
def serving() -> Iterator[S3Server]:
    """A server, for as long as it lasts."""
    command = [sys.executable, "-m", "tests.s3.process"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield S3Server(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(20)


class Relay:
    """Stands between a store and the server. `cut` drops every connection, as a server that has stopped does.

    `room` bytes are let through towards the store, then the connection is dropped, once. `spelled` are bytes of
    requests, and what they are changed into; both are as long.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.room: int | None = None
        self.dropped = 0
        self.spelled = (b"", b"")
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, back}
        self._writers |= both
        with suppress(ConnectionError):
            await asyncio.gather(self._ask(reader, back), self._answer(there, writer))
        self._writers -= both
        for each in both:
            each.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data.replace(*self.spelled) if self.spelled[0] else data)
            await writer.drain()
        raise ConnectionAbortedError

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.room is not None:
                data, self.room = data[: self.room], self.room - len(data)
            writer.write(data)
            await writer.drain()
            if self.room is not None and self.room < 0:
                self.room = None
                self.dropped += 1
                break
        raise ConnectionAbortedError
