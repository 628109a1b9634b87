"""Device discovery: a sendSavedMMS with ddm-message-text, from the request to the content's turn."""

import pytest

from mmsgate.carriers.profile import Gives, Reporting
from mmsgate.clock import DAY, MINUTE, SECOND, SystemClock
from mmsgate.domain.account import PostbackSettings
from mmsgate.domain.change import CarrierId, Change, Why, move
from mmsgate.domain.message import Message
from mmsgate.domain.state import Happening, State
from mmsgate.mm7.report import MMStatus
from mmsgate.store import Decide, Snapshot
from mmsgate.store.queries import Statement
from tests.integration.api.conftest import KEY, Api, elements
from tests.integration.api.test_reports import a_report as encoded_report
from tests.integration.api.test_reports import assert_taken, now, told
from tests.integration.api.test_templates import refused, saved, send, sent

H = Happening
DDM = "<ddm-message-text>Hi</ddm-message-text>"


async def discovering(api: Api, *, more: str = DDM, **changes: str | None) -> tuple[Message, Message]:
    """The message that waits, and its discovery. Nobody delivers them: the lane is shut."""
    api.gateway.dispatcher.shut("dead")
    await api.change(postback=PostbackSettings(url="http://127.0.0.1:9/"))
    message = await sent(api, send(await saved(api), more=more, **changes))
    assert message.state is State.DISCOVERING
    return message, await discovery_of(api, message)


async def discovery_of(api: Api, message: Message) -> Message:
    found = await api.gateway.store.messages.discovery_of(message.id)
    assert found is not None
    return found


def step(happening: Happening, *ids: str) -> Decide:
    def decide(snapshot: Snapshot) -> Change:
        at = SystemClock().now()
        given = tuple(CarrierId(connection="dead", verbatim=each) for each in ids)
        why = Why.of(f"it {happening}")
        return move(snapshot.message, happening, why, at=at, due_at=at + DAY, carrier_ids=given)

    return decide


async def make(api: Api, message: Message, happening: Happening, *ids: str) -> None:
    await api.gateway.ledger.record(message, step(happening, *ids))


async def report(api: Api, message_id: str, status: MMStatus = MMStatus.RETRIEVED, **more: str) -> None:
    body = encoded_report(message_id, status, **more)
    assert_taken(await api.post(body, "/mm7/dead", Content_Type="text/xml"))


async def first_line(api: Api, message: Message) -> str:
    return (await api.gateway.store.messages.timeline(message.id))[0].reason


async def test_a_short_text_goes_ahead_and_the_content_waits_for_its_report(api: Api) -> None:
    message, ahead = await discovering(api)
    assert message.due_at == message.accepted_at + 5 * MINUTE + SECOND
    assert (ahead.state, ahead.due_at, ahead.expires_at) == (
        State.ACCEPTED, message.accepted_at, message.accepted_at + 5 * MINUTE,
    )  # fmt: skip
    content = await api.gateway.store.messages.content(ahead.content_id)
    assert content is not None
    assert (content.subject, [slide.text for slide in content.slides]) == ("Device Discovery", ["Hi"])
    assert (await first_line(api, message)).endswith("; a device discovery goes ahead, for 5 minutes at most")
    await make(api, ahead, H.SUBMIT)
    await make(api, ahead, H.TAKEN, "d1")
    assert ((await now(api, message)).state, await told(api, message)) == (State.DISCOVERING, ["N501"])
    await report(api, "D1", ua_prof="http://ua.example/Pixel7.xml")
    after = await now(api, message)
    assert (after.state, after.handset, await told(api, message)) == (State.ACCEPTED, "", ["N501", "N502"])
    assert after.due_at is not None
    assert after.due_at <= SystemClock().now()
    assert await api.gateway.store.postbacks.of_message(ahead.id) == []
    written = Statement("SELECT body FROM postback WHERE message_id = ? ORDER BY sequence")
    bodies = [row[0] for row in await api.gateway.store._engine.read(written, (message.id,))]
    assert all(f"<mms-id>{message.mms_id}<".encode() in body for body in bodies)
    assert b"<handset>Pixel7</handset>" in bodies[1]


async def test_the_second_message_to_a_known_handset_has_no_discovery_unless_it_is_forced(api: Api) -> None:
    _, ahead = await discovering(api)
    await make(api, ahead, H.SUBMIT)
    await make(api, ahead, H.TAKEN, "d1")
    await report(api, "d1", ua_prof="Pixel7")
    mms_id = await saved(api)
    at_once = await sent(api, send(mms_id, more=DDM))
    assert at_once.state is State.ACCEPTED
    assert "the phone is known as a Pixel7, which dead reported on " in await first_line(api, at_once)
    assert await api.gateway.store.messages.discovery_of(at_once.id) is None
    forced = await sent(api, send(mms_id, more=f"{DDM}<ddm-force>true</ddm-force>"))
    assert forced.state is State.DISCOVERING


async def test_without_a_text_for_it_there_is_no_discovery(api: Api) -> None:
    more = "<ddm-force>true</ddm-force><ddm-message-subject>S</ddm-message-subject><ddm-message-timeout>x"
    message = await sent(api, send(await saved(api), more=f"{more}</ddm-message-timeout>"))
    assert (message.state, (await first_line(api, message)).count("discovery")) == (State.ACCEPTED, 0)


async def test_no_discovery_where_the_carrier_gives_no_reports(api: Api) -> None:
    await api.carrier(reports=Reporting(gives=Gives.NONE))
    message = await sent(api, send(await saved(api), more=DDM))
    assert message.state is State.ACCEPTED
    assert "no device discovery: dead gives no reports" in await first_line(api, message)


@pytest.mark.parametrize(
    ("written", "timeout"), [("", 5 * MINUTE), ("7", 7 * MINUTE), ("1440", DAY), ("99999", DAY)]
)
async def test_the_time_out_is_in_minutes_and_a_day_at_most(written: str, timeout: int, api: Api) -> None:
    more = f"{DDM}<ddm-message-timeout>{written}</ddm-message-timeout>"
    _, ahead = await discovering(api, more=more)
    assert ahead.expires_at - ahead.accepted_at == timeout


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (f"{DDM}<ddm-message-timeout>0</ddm-message-timeout>", "E100"),
        (f"{DDM}<ddm-message-timeout>-1</ddm-message-timeout>", "E100"),
        (f"{DDM}<ddm-message-timeout>soon</ddm-message-timeout>", "E100"),
        (f"{DDM}<ddm-message-timeout>٧</ddm-message-timeout>", "E100"),
        (f"<ddm-message-text>{'x' * 5001}</ddm-message-text>", "E228"),
        (f"{DDM}<ddm-message-subject>{'x' * 81}</ddm-message-subject>", "E314"),
    ],
)
async def test_what_can_be_no_discovery_is_refused(more: str, code: str, api: Api) -> None:
    assert await refused(api, send(await saved(api), more=more)) == code
    assert await api.gateway.store.messages.counts() == {}


async def test_skycore_names_its_elements_otherwise(api: Api) -> None:
    mms_id = await saved(api)
    answered = await api.get(
        f"/API/wxml/1.3/?action=sendsavedmms&api_key={KEY}&mmsid={mms_id}&to=12065550100&from=28444"
        "&fallbacksmstext=x&ddmtext=Hi&ddmtitle=Which+phone%3F&ddmtimeout=2"
    )
    values = dict(elements(answered.body))
    message = await api.gateway.store.messages.by_tracking(values["TRACKINGID"])
    assert message is not None
    assert message.state is State.DISCOVERING
    content = await api.gateway.store.messages.content((await discovery_of(api, message)).content_id)
    assert content is not None
    assert content.subject == "Which phone?"


@pytest.mark.parametrize(
    ("happenings", "codes"),
    [
        ((H.SUBMIT, H.GAVE_UP), ["E501"]),
        ((H.SUBMIT, H.TAKEN, H.REPORTED_UNDELIVERED), ["N501", "E502"]),
        ((H.SUBMIT, H.TAKEN, H.NEVER_REPORTED), ["N501"]),
    ],
)
async def test_however_a_discovery_ends_the_content_goes_on(
    happenings: tuple[Happening, ...], codes: list[str], api: Api
) -> None:
    message, ahead = await discovering(api)
    for happening in happenings:
        await make(api, ahead, happening)
    assert ((await now(api, message)).state, await told(api, message)) == (State.ACCEPTED, codes)
    assert "the handset stays unknown" in (await api.gateway.store.messages.timeline(message.id))[-1].reason


async def test_a_report_after_the_time_out_is_recorded_and_the_handset_remembered(api: Api) -> None:
    message, ahead = await discovering(api)
    await make(api, ahead, H.SUBMIT)
    await make(api, ahead, H.TAKEN, "d1")
    await make(api, message, H.DISCOVERED)
    gone_on = await now(api, message)
    await report(api, "d1", ua_prof="Pixel7")
    assert (await now(api, message), await told(api, message)) == (gone_on, ["N501"])
    last = (await api.gateway.store.messages.timeline(message.id))[-1]
    assert (last.changed, "the phone is a Pixel7" in last.reason) == (False, True)
    assert await api.gateway.handsets.known(message.recipient) is not None


async def test_the_newest_message_is_the_one_that_was_asked_for_not_its_discovery(api: Api) -> None:
    message, ahead = await discovering(api)
    assert ahead.id > message.id
    assert await api.gateway.store.messages.latest() == message
    assert await api.gateway.store.messages.by_tracking(ahead.tracking_id) == message


async def test_a_restart_leaves_both_where_they_are(api: Api) -> None:
    message, ahead = await discovering(api)
    await make(api, ahead, H.SUBMIT)
    await make(api, ahead, H.TAKEN, "d1")
    queue = api.gateway.store.queue
    before = (await now(api, message), await discovery_of(api, message))
    await queue.recover(now=SystemClock().now())
    assert (await now(api, message), await discovery_of(api, message)) == before
    due = message.due_at
    assert due is not None
    assert await queue.claim_overdue("dead", now=due - 1, until=due + MINUTE, limit=9) == []
    claimed = await queue.claim_overdue("dead", now=due, until=due + MINUTE, limit=9)
    assert [each.id for each in claimed] == [message.id]
    assert claimed[0] == before[0]
