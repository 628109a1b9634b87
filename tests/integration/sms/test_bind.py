"""What becomes known of a bind, and binds over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.smsc import SmscTls
from mmsgate.domain.gsm import Alphabet
from mmsgate.sms.client import SmscConnection
from mmsgate.sms.outcome import SmsAccepted
from mmsgate.sms.settings import SmscSettings
from mmsgate.sms.writing import LongSms, Writing
from tests.integration.sms.conftest import Desk, bound, connect, parts, submitting
from tests.integration.sms.smsc import DELIVER_SM, RESPONSE, Link, Smsc

CERTIFICATE = str(Path(__file__).parent.parent / "http" / "loopback.pem")


async def told(desk: Desk) -> str:
    return await asyncio.wait_for(desk.states.get(), 10)


# -- what somebody should look at


async def test_a_bind_that_stands_is_told(connection: SmscConnection, smsc: Smsc, desk: Desk) -> None:
    await bound(connection, smsc)
    assert await told(desk) == ""


async def test_a_refused_bind_is_told_at_once_and_the_bind_after_it(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    smsc.password = "other"
    await connection.start()
    assert await told(desk) == "the bind was refused: ESME_RINVPASWD"
    smsc.password = None
    while problem := await told(desk):
        assert problem == "the bind was refused: ESME_RINVPASWD"
    assert connection.bound


async def test_a_vendors_status_of_a_refused_bind_is_told_by_its_number(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    smsc.binding = lambda link, sequence: link.write(0x09 | RESPONSE, sequence, status=0x0401)
    await connection.start()
    assert await told(desk) == "the bind was refused: 0x00000401"


async def test_an_smsc_that_still_holds_the_link_before_is_asked_again_soon(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    refusals = iter([0x05, 0x05])  # ESME_RALYBND

    def binding(link: Link, sequence: int) -> None:
        if status := next(refusals, 0):
            link.write(0x09 | RESPONSE, sequence, status=status)
        else:
            smsc.answer_bind(link, sequence)

    smsc.binding = binding
    connection = connect(replace(settings, reconnect_first=1, reconnect_longest=60_000), desk)
    try:
        await connection.start()
        assert await told(desk) == ""  # two tries a minute apart would be more than it waits
    finally:
        await connection.stop()


async def test_a_pdu_in_place_of_an_answer_to_the_bind_ends_the_link(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    def binding(link: Link, _: int) -> None:
        link.deliver(b"id:1 stat:DELIVRD")
        smsc.binding = smsc.answer_bind

    smsc.binding = binding
    await connection.start()
    first = await smsc.link()
    await asyncio.wait_for(first.closed.wait(), 10)
    assert first.answers.empty()
    assert await connection.wait_bound(10)


async def test_an_smsc_that_is_away_is_told_when_the_tries_have_grown_rare(
    settings: SmscSettings, smsc: Smsc, desk: Desk
) -> None:
    await smsc.stop()
    waits = 0
    first_told = asyncio.get_running_loop().create_future()

    def roll() -> float:
        nonlocal waits
        waits += 1
        return 0.5

    async def on_state(problem: str) -> None:
        if not first_told.done():
            first_told.set_result((waits, problem))

    connection = SmscConnection(
        replace(settings, reconnect_first=1, reconnect_longest=8), on_receipt=desk.on_receipt,
        on_inbound=desk.on_inbound, on_state=on_state, roll=roll,
    )  # fmt: skip
    try:
        await connection.start()
        after, problem = await asyncio.wait_for(first_told, 10)
        assert after == 3  # 1, 2 and 4 ms: the next wait is the longest
        assert problem.startswith("no connection: ConnectionRefusedError")
    finally:
        await connection.stop()


async def test_a_link_that_comes_back_at_once_raises_no_alarm(
    connection: SmscConnection, smsc: Smsc, desk: Desk
) -> None:
    link = await bound(connection, smsc)
    assert await told(desk) == ""
    link.cut()
    await smsc.link()
    assert await told(desk) == ""


# -- what the SMSC is told


async def test_the_bind_says_what_kind_of_system_we_are(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    bodies: list[bytes] = []

    def binding(link: Link, sequence: int) -> None:
        bodies.append(link.bind)
        smsc.answer_bind(link, sequence)

    smsc.binding = binding
    connection = connect(replace(settings, system_type="VASP"), desk)
    try:
        await bound(connection, smsc)
        assert bodies == [b"mmsgate\0s3cret\0VASP\0\x34\0\0\0"]
    finally:
        await connection.stop()


@pytest.mark.parametrize(
    ("long", "expected"),
    [
        (LongSms.UDH, [(b"\5\0\3\7\2\1" + b"a" * 153, {}), (b"\5\0\3\7\2\2" + b"a" * 8, {})]),
        (
            LongSms.SAR,
            [
                (b"a" * 153, {0x20C: b"\0\7", 0x20E: b"\2", 0x20F: b"\1"}),
                (b"a" * 8, {0x20C: b"\0\7", 0x20E: b"\2", 0x20F: b"\2"}),
            ],
        ),
        (LongSms.PAYLOAD, [(b"", {0x424: b"a" * 161})]),
    ],
)
async def test_a_long_text_reaches_the_smsc_as_its_profile_says(
    connection: SmscConnection, smsc: Smsc, long: LongSms, expected: list[tuple[bytes, dict[int, bytes]]]
) -> None:
    link = await bound(connection, smsc)
    submits = []
    for sms in parts("a" * 161, "", writing=Writing(long=long)):
        answer = asyncio.create_task(connection.submit(sms))
        submits.append(await link.submit())
        link.accept(submits[-1], "1")
        assert isinstance(await answer, SmsAccepted)
    assert [(each.short_message, {tlv.tag: tlv.value for tlv in each.tlvs}) for each in submits] == expected


async def test_what_data_coding_0_means_is_the_smscs_affair(settings: SmscSettings, smsc: Smsc, desk: Desk) -> None:
    connection = connect(replace(settings, alphabet=Alphabet.LATIN1), desk)
    try:
        link = await bound(connection, smsc)
        link.deliver("à_é@".encode("latin-1"), esm_class=0)
        assert await link.answer() == (DELIVER_SM, 0, 1)
        assert desk.inbound.get_nowait().text == "à_é@"
    finally:
        await connection.stop()


# -- TLS


@pytest.fixture
async def secure() -> AsyncIterator[Smsc]:
    """An SMSC behind TLS, whose certificate is for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    smsc = Smsc(tls=context)
    await smsc.start()
    yield smsc
    await smsc.stop()


async def test_submits_and_receipts_travel_over_tls(settings: SmscSettings, secure: Smsc, desk: Desk) -> None:
    tls = SmscTls(enabled=True, authorities=CERTIFICATE).context
    connection = connect(replace(settings, port=secure.port, tls=tls), desk)
    try:
        link = await bound(connection, secure)
        answer = submitting(connection)
        link.accept(await link.submit(), "1")
        assert await answer == SmsAccepted(message_id="1")
        link.deliver(b"id:1 stat:DELIVRD")
        assert await link.answer() == (DELIVER_SM, 0, 1)
    finally:
        await connection.stop()


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        (SmscTls(enabled=True), "SSLCertVerificationError"),
        (SmscTls(enabled=True, authorities="/nowhere.pem"), "authorities: /nowhere.pem can't be read"),
        (SmscTls(enabled=True, authorities=CERTIFICATE, certificate="/nowhere.pem"), "certificate: /nowhere.pem"),
    ],
    ids=["of an unknown authority", "no authorities", "no certificate of ours"],
)
async def test_a_certificate_that_is_wrong_or_missing_keeps_it_from_binding(
    settings: SmscSettings, secure: Smsc, desk: Desk, tls: SmscTls, words: str
) -> None:
    connection = connect(replace(settings, port=secure.port, tls=tls.context), desk)
    try:
        await connection.start()
        assert words in await told(desk)
        assert not connection.bound
    finally:
        await connection.stop()
