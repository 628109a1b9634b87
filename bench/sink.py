"""The other side of the benchmark, a process of its own: carrier, origin of the media, receiver of postbacks.

    python -m bench.sink DELAY_MS REPORT_PORT [MEDIA_FOLDER [REPORTERS [REPORT_AFTER_MS]]]

It answers every SubmitReq after the delay, reports it as Retrieved over so many keep-alive connections when the
time for that has come, takes postbacks and serves files. Its first line of output is its port. ``/counts`` tells
how much came, ``/arrivals`` when; between ``/hold`` and ``/release`` no SubmitReq is answered. ``/ended/ID`` is
answered when the last postback of that message has come.
"""

import asyncio
import itertools
import json
import re
import sys
from pathlib import Path

import uvloop

from bench.wire import Connection, answer, content_length

REPORTERS = 8

SUBMIT_RSP = """<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>
<mm7:TransactionID xmlns:mm7="{ns}" env:mustUnderstand="1">{transaction}</mm7:TransactionID>
</env:Header><env:Body><SubmitRsp xmlns="{ns}"><MM7Version>6.8.0</MM7Version>
<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status><MessageID>m{number}</MessageID>
</SubmitRsp></env:Body></env:Envelope>"""
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>
<mm7:TransactionID xmlns:mm7="{ns}" env:mustUnderstand="1">r{number}</mm7:TransactionID>
</env:Header><env:Body><DeliveryReportReq xmlns="{ns}"><MM7Version>6.8.0</MM7Version>
<MessageID>m{number}</MessageID><Recipient><Number>{recipient}</Number></Recipient>
<Sender><ShortCode>28444</ShortCode></Sender><Date>2026-01-02T09:30:47Z</Date><MMStatus>Retrieved</MMStatus>
</DeliveryReportReq></env:Body></env:Envelope>"""
RECIPIENT = re.compile(rb"<Number>(\d+)</Number>")
#: A postback after which none of its message follows: delivered, or failed.
LAST = re.compile(rb"<code>(?:N102|E\d+)</code>.*<tracking-id>([^<]+)<", re.DOTALL)
#: Below it no two answers are the same: a number stands behind the end of the file, which decoders don't mind.
FRESH = "/fresh/"
NAMESPACE = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"


class Sink:
    """What came, and the reports that are to go."""

    def __init__(self, delay: float, report_port: int, folder: Path | None, report_after: float) -> None:
        self.delay, self.report_port, self.report_after = delay, report_port, report_after
        self.files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()} if folder else {}
        self.counts = {"submits": 0, "bytes": 0, "reports": 0, "N101": 0, "N102": 0, "other": 0}
        self.arrivals: list[float] = []  # when each SubmitReq was here, in seconds
        self.numbers = itertools.count(1)
        self.reports: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self.answering = asyncio.Event()
        self.answering.set()
        self.ended: set[str] = set()  # tracking ids
        self.ending = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(content_length(head))
                writer.write(await self.handle(head.split(b" ", 2)[1].decode(), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def handle(self, path: str, body: bytes) -> bytes:
        if path == "/mm7":
            return await self.submit(body)
        if path == "/postbacks":
            code = "N102" if b"N102" in body else "N101" if b"N101" in body else "other"
            self.counts[code] += 1
            if last := LAST.search(body):
                self.ended.add(last[1].decode())
                self.ending.set()
            return answer(b"")
        if path == "/counts":
            return answer(json.dumps(self.counts).encode(), "application/json")
        if path == "/arrivals":
            return answer(json.dumps(self.arrivals).encode(), "application/json")
        if path in {"/hold", "/release"}:
            self.answering.clear() if path == "/hold" else self.answering.set()
            return answer(b"")
        if path.startswith("/ended/"):
            await self.end(path.rpartition("/")[2])
            return answer(b"")
        if path.startswith(FRESH):
            return answer(self.files[f"/{path.rpartition('/')[2]}"] + next(self.numbers).to_bytes(4), "image/jpeg")
        return answer(self.files[path], "image/jpeg")

    async def end(self, tracking_id: str) -> None:
        while tracking_id not in self.ended:
            self.ending.clear()
            await self.ending.wait()

    async def submit(self, body: bytes) -> bytes:
        self.arrivals.append(asyncio.get_running_loop().time())
        self.counts["submits"] += 1
        self.counts["bytes"] += len(body)
        number = next(self.numbers)
        if self.delay:
            await asyncio.sleep(self.delay)
        await self.answering.wait()
        if self.report_port:
            recipient = RECIPIENT.search(body, 0, 4096)
            assert recipient, body[:4096]
            report = (number, recipient[1].decode())
            asyncio.get_running_loop().call_later(self.report_after, self.reports.put_nowait, report)
        return answer(SUBMIT_RSP.format(ns=NAMESPACE, transaction=number, number=number).encode())

    async def report(self) -> None:
        """One keep-alive connection that reports what was taken."""
        connection: Connection | None = None
        while True:
            number, recipient = await self.reports.get()
            connection = connection or await Connection.open(self.report_port)
            body = REPORT.format(ns=NAMESPACE, number=number, recipient=recipient).encode()
            status, _ = await connection.post("/mm7/bench", [("Content-Type", "text/xml")], [body])
            assert status == 200, status
            self.counts["reports"] += 1


async def run(delay_ms: float, report_port: int, folder: Path | None, count: int, after_ms: float) -> None:
    sink = Sink(delay_ms / 1000, report_port, folder, after_ms / 1000)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    reporters = [asyncio.create_task(sink.report()) for _ in range(count if report_port else 0)]
    async with server:
        await asyncio.gather(server.serve_forever(), *reporters)


if __name__ == "__main__":
    delay_ms, report_port, *rest = sys.argv[1:]
    folder, reporters, after_ms = (*rest, *("", str(REPORTERS), "0")[len(rest) :])
    of_media = Path(folder) if folder else None
    uvloop.run(run(float(delay_ms), int(report_port), of_media, int(reporters), float(after_ms)))
