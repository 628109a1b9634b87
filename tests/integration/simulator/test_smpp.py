"""The SMSC over sockets, against a raw client."""

import struct

import pytest

from mmsgate.clock import Ids, SystemClock
from mmsgate.domain.gsm import Concatenation, encode_gsm
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.simulator.peer import SmppPeer


def message_id(body: bytes) -> str:
    return body.rstrip(b"\0").decode()


async def test_an_sms_arrives_and_its_receipt_follows(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        assert (await peer.bind()).status == 0
        peer.submit("12399471613", encode_gsm("Look: http://a.example/{x}"))
        response = await peer.receive()
        receipt = await peer.acknowledged()
    assert (response.command, response.status) == (0x80000004, 0)
    assert f"id:{message_id(response.body)} " in receipt.text
    assert "stat:DELIVRD" in receipt.text
    assert [message.text for message in simulator.box.after(to="12399471613")] == ["Look: http://a.example/{x}"]


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("mmsgate", "wrong", 0x0E), ("somebody", "mmsgate", 0x0D), ("", "", 0x0D)],
)
async def test_wrong_credentials_do_not_bind(
    simulator: Simulator, system_id: str, password: str, status: int
) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        answer = await peer.bind(system_id, password)
        assert (answer.command, answer.status) == (0x80000009, status)
        assert await peer.next() is None


async def test_nobody_submits_unbound_or_as_a_receiver(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        peer.submit("12399471613", b"hi")
        assert (await peer.receive()).status == 0x04
        assert (await peer.bind(command=0x01)).status == 0
        assert (await peer.bind()).status == 0x05
        peer.submit("12399471613", b"hi")
        assert (await peer.receive()).status == 0x04
    assert simulator.box.after() == []


async def test_long_sms_in_ucs2(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        for number, text in ((1, "привет "), (2, "👋")):
            header = Concatenation(reference=3, total=2, number=number).header()
            peer.submit("12399471613", header + text.encode("utf-16-be"), esm_class=0x40, data_coding=8)
            await peer.receive()
    (message,) = simulator.box.after()
    assert (message.text, message.segments) == ("привет 👋", 2)


async def test_0133_puts_the_receipt_on_the_wire_first(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.submit("12399470133", b"hi")
        receipt, response = await peer.receive(), await peer.receive()
    assert (receipt.command, response.command) == (0x05, 0x80000004)
    assert f"id:{message_id(response.body)} " in receipt.text


async def test_0132_gives_hex_then_decimal(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.submit("12399470132", b"hi")
        response, receipt = await peer.receive(), await peer.acknowledged()
    assert f"id:{int(message_id(response.body), 16)} " in receipt.text


async def test_0134_throttles_at_first(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.submit("12399470134", b"hi")
        assert (await peer.receive()).status == 0x58


async def test_a_receipt_waits_for_the_next_bind(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as sender:
        await sender.bind(command=0x02)
        sender.submit("12399471613", b"hi")
        response = await sender.receive()
        async with SmppPeer.connected(simulator.smsc_port) as receiver:
            await receiver.bind(command=0x01)
            assert f"id:{message_id(response.body)} " in (await receiver.acknowledged()).text


async def test_enquire_link_unbind_and_what_is_not_supported(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.send(0x15)
        assert (await peer.receive()).command == 0x80000015
        peer.send(0x0103)
        unknown = await peer.receive()
        assert (unknown.command, unknown.status) == (0x80000000, 0x03)
        peer.send(0x80000015)  # a response that nobody asked for is let be
        peer.send(0x06)
        assert (await peer.receive()).command == 0x80000006
        assert await peer.next() is None


async def test_a_broken_submit_is_refused_and_the_session_lives(simulator: Simulator) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.send(0x04, b"\0\1\1no end")
        assert (await peer.receive()).status == 0x02
        peer.submit("12399471613", b"hi")
        assert (await peer.receive()).status == 0


@pytest.mark.parametrize("length", [0, 15, 0xFFFFFFFF])
async def test_a_length_that_cannot_be_right_ends_the_session(simulator: Simulator, length: int) -> None:
    async with SmppPeer.connected(simulator.smsc_port) as peer:
        await peer.bind()
        peer.send_raw(struct.pack(">IIII", length, 0x04, 0, 9))
        nack = await peer.receive()
        assert (nack.command, nack.status, nack.sequence) == (0x80000000, 0x02, 9)
        assert await peer.next() is None


@pytest.mark.parametrize(
    ("mode", "octets", "status"),
    [("gsm7", b"\x80", 0x45), ("gsm7", encode_gsm("{x}"), 0), ("latin1", "Grüße".encode("latin-1"), 0)],
)
async def test_the_mode_of_the_settings_is_played(poster: Poster, mode: str, octets: bytes, status: int) -> None:
    clock = SystemClock()
    config = SimulatorConfig(mmsc_port=0, smsc_port=0, smsc_mode=mode)
    simulator = Simulator(config, poster=poster, clock=clock, ids=Ids(clock))
    await simulator.start()
    try:
        async with SmppPeer.connected(simulator.smsc_port) as peer:
            await peer.bind()
            peer.submit("12399471613", octets)
            assert (await peer.receive()).status == status
        assert len(simulator.box.after()) == (status == 0)
    finally:
        await simulator.stop()


def test_an_unknown_mode_is_no_setting() -> None:
    with pytest.raises(ValueError, match="no SMSC mode"):
        SimulatorConfig(smsc_mode="nobody")
