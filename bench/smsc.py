"""The SMSC of the benchmark, a process of its own.

    python -m bench.smsc DELAY_MS RECEIPTS LIMIT

It takes any bind and answers every submit_sm after the delay; if RECEIPTS is 1, a DELIVRD receipt follows. In each
second it takes LIMIT parts (0: all) and answers the others with ESME_RTHROTTLED. Its first line of output is its
port.
"""

import asyncio
import itertools
import struct
import sys
import time
from typing import cast

import uvloop

HEADER = struct.Struct("!IIII")
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x06, 0x15
RESPONSE = 0x80000000
RTHROTTLED = 0x58
IS_RECEIPT = 0x04  # esm_class


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


class Smsc(asyncio.Protocol):
    """One connection."""

    numbers = itertools.count(1)

    def __init__(self, delay: float, *, receipts: bool, limit: int) -> None:
        self.delay, self.receipts, self.limit = delay, receipts, limit
        self.buffer = b""
        self.second = self.taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's has another base

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        at = 0
        while len(self.buffer) >= at + HEADER.size:
            length, command, _, sequence = HEADER.unpack_from(self.buffer, at)
            if len(self.buffer) < at + length:
                break
            self.take(command, sequence, self.buffer[at + HEADER.size : at + length])
            at += length
        self.buffer = self.buffer[at:]

    def take(self, command: int, sequence: int, body: bytes) -> None:
        if command == SUBMIT_SM:
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.answer, sequence, body)
            else:
                self.answer(sequence, body)
        elif command in {BIND_TRANSCEIVER, UNBIND, ENQUIRE_LINK}:
            named = b"bench\0" if command == BIND_TRANSCEIVER else b""
            self.transport.write(pdu(command | RESPONSE, sequence, named))

    def answer(self, sequence: int, body: bytes) -> None:
        if not self.has_room():
            self.transport.write(pdu(SUBMIT_SM | RESPONSE, sequence, status=RTHROTTLED))
            return
        number = next(self.numbers)
        answer = pdu(SUBMIT_SM | RESPONSE, sequence, b"%x\0" % number)
        self.transport.write(answer + self.receipt(number, body) if self.receipts else answer)

    def has_room(self) -> bool:
        if not self.limit:
            return True
        if (second := int(time.monotonic())) != self.second:
            self.second, self.taken = second, 0
        self.taken += 1
        return self.taken <= self.limit

    def receipt(self, number: int, body: bytes) -> bytes:
        """Its id is decimal, that of the answer was hex."""
        at = body.index(b"\0") + 3  # behind service_type, ton and npi
        source, rest = body[at:].split(b"\0", 1)
        recipient = rest[2:].split(b"\0", 1)[0]
        text = (
            b"id:%010d sub:001 dlvrd:001 submit date:2601020930 done date:2601020931 stat:DELIVRD err:000" % number
        )
        fields = b"\0\1\1" + recipient + b"\0\1\1" + source + b"\0" + bytes((IS_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0))
        return pdu(DELIVER_SM, number, fields + bytes((len(text),)) + text)


async def run(delay_ms: float, receipts: int, limit: int) -> None:
    def connected() -> Smsc:
        return Smsc(delay_ms / 1000, receipts=bool(receipts), limit=limit)

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
