"""Starting and stopping, in every order."""

import asyncio
import random
import socket

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from mmsgate.clock import Ids, SystemClock
from mmsgate.listener import Listener, PortTaken
from mmsgate.simulator.cutting import cut
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.simulator.peer import SmppPeer, request


@pytest.fixture
def idle(poster: Poster) -> Simulator:
    clock = SystemClock()
    return Simulator(SimulatorConfig(mmsc_port=0, smsc_port=0), poster=poster, clock=clock, ids=Ids(clock))


async def test_it_starts_twice_and_stops_twice(idle: Simulator) -> None:
    await idle.stop()
    for _ in range(2):
        await idle.start()
        url = idle.mmsc_url
        await idle.start()
        assert idle.mmsc_url == url
        assert idle.smsc_port > 0
        await idle.stop()
        await idle.stop()
        assert idle.smsc_port == 0


async def test_it_survives_starting_and_stopping_at_once(idle: Simulator) -> None:
    order = random.Random(7)
    await asyncio.gather(*(idle.start() if order.random() < 0.5 else idle.stop() for _ in range(12)))
    await idle.stop()
    assert idle.smsc_port == 0


async def test_stopping_ends_polls_streams_and_sessions(simulator: Simulator, port: int) -> None:
    polling = asyncio.create_task(request(port, "/sim/messages?wait=60s"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /sim/events HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"event: hello")
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        await simulator.stop()
        assert await peer.next() is None
    assert (await polling).body in (b"[]", b"")
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_is_taken_is_told_and_nothing_is_left_open(poster: Poster) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = SimulatorConfig(mmsc_port=0, smsc_port=taken.getsockname()[1])
        clock = SystemClock()
        simulator = Simulator(config, poster=poster, clock=clock, ids=Ids(clock))
        with pytest.raises(PortTaken, match=f"127.0.0.1:{config.smsc_port} for SMPP: Address already in use"):
            await simulator.start()
        assert simulator.smsc_port == 0
        await simulator.stop()


async def test_the_phones_can_be_served_by_another_application(simulator: Simulator) -> None:
    server = Listener("127.0.0.1", 0, grace=1)
    await server.start(Starlette(routes=[Mount("/", simulator.web_app)]))
    assert (await request(server.port, "/sim/")).status == 200
    assert (await request(server.port, "/mm7", method="POST")).status == 404
    simulator.release()
    await server.stop()


def test_a_speed_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="speed"):
        SimulatorConfig(speed=0)


def test_secrets_stay_out_of_the_repr() -> None:
    config = SimulatorConfig(password="hush", smpp_password="hush", report_password="hush")
    assert "hush" not in repr(config)


async def test_another_server_cannot_cut() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(RuntimeError, match="own server"):
        await cut({"type": "http"}, receive)
