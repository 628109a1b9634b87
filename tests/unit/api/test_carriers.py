"""A carrier that trickles its body keeps nobody's room for ever."""

import asyncio
from typing import cast

import pytest
from starlette.requests import Request
from starlette.types import Message

from mmsgate.api.carriers import LARGEST_AT_ONCE, MAX_REPORT, CarrierApi
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.delivery.alarms import Alarms
from mmsgate.reports.inbound import InboundDesk
from mmsgate.reports.reports import Reports

SIM = CarrierProfile(name="sim", endpoints=("http://127.0.0.1:9/mm7",))


class Trickle:
    """A body of which a piece comes, and then nothing any more."""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._pieces = [b"--x\r\n"]

    async def receive(self) -> Message:
        if not self._pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._pieces.pop(), "more_body": True}

    @property
    def request(self) -> Request:
        headers = [(b"content-type", self._content_type.encode())]
        scope = {"type": "http", "method": "POST", "headers": headers, "path_params": {"carrier": "sim"}}
        return Request(scope, self.receive)


@pytest.mark.parametrize("content_type", ["text/xml", "multipart/related; boundary=x"])
async def test_a_body_that_does_not_come_is_refused_and_its_room_given_back(content_type: str) -> None:
    api = CarrierApi(
        cast("Reports", None),
        cast("InboundDesk", None),
        lambda _: SIM,
        alarms=cast("Alarms", None),
        largest=2 * MAX_REPORT,
        within=0.01,
    )
    for _ in range(LARGEST_AT_ONCE + 1):
        answer = await api.receive(Trickle(content_type).request)
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert bytes(answer.body) == b"the body was not here within 0.01 s"


async def test_there_is_no_room_for_more_than_the_largest_at_once() -> None:
    api = CarrierApi(
        cast("Reports", None),
        cast("InboundDesk", None),
        lambda _: SIM,
        alarms=cast("Alarms", None),
        largest=2 * MAX_REPORT,
    )
    async with asyncio.TaskGroup() as group:
        held = [
            group.create_task(api.receive(Trickle("multipart/related; boundary=x").request))
            for _ in range(LARGEST_AT_ONCE)
        ]
        await asyncio.sleep(0)  # each has begun to read
        answer = await api.receive(Trickle("multipart/related; boundary=x").request)
        for task in held:
            task.cancel()
    assert answer.status_code == 503
