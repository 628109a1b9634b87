"""Connections as their profiles come, change, fail and go, in a running gateway."""

import asyncio
import shutil
from pathlib import Path

import pytest

from mmsgate.carriers.profile import Auth, CarrierProfile, Pace, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.carriers.smsc import SmscPace, SmscProfile
from mmsgate.clock import SECOND
from mmsgate.delivery.alarms import READABLE_FOR
from mmsgate.domain.state import State
from mmsgate.mm7.report import DeliveryReportReq, MMStatus, encode_delivery_report
from tests.integration import http
from tests.integration.api.conftest import Api, elements, request
from tests.integration.sms.smsc import Smsc

UNUSABLE = "the profile of acme can't be used"
DEAD = ("http://127.0.0.1:9/mm7",)


async def put(api: Api, profile: CarrierProfile | SmscProfile) -> None:
    await api.gateway.store.accounts.put_carrier(profile.name, profile_json(profile))
    await api.gateway.watch.refresh()


async def alarms(api: Api) -> set[str]:
    return {alarm.subject for alarm in await api.gateway.store.accounts.alarms()}


def secured(authorities: Path) -> CarrierProfile:
    return CarrierProfile(name="acme", endpoints=DEAD, auth=Auth(authorities=str(authorities)))


async def test_a_profile_whose_file_is_missing_is_opened_by_housekeeping_once_it_is_there(
    api: Api, tmp_path: Path
) -> None:
    file = tmp_path / "authorities.pem"
    await put(api, secured(file))
    await api.gateway.housekeeping.keep()
    assert ("acme" in api.gateway.dispatcher.connections, UNUSABLE in await alarms(api)) == (False, True)
    shutil.copy(Path(http.__file__).parent / "loopback.pem", file)
    await api.gateway.housekeeping.keep()
    assert ("acme" in api.gateway.dispatcher.connections, UNUSABLE in await alarms(api)) == (True, False)


async def test_a_profile_that_stays_unusable_is_told_once_until_the_words_change(
    api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await put(api, secured(tmp_path / "authorities.pem"))
    await api.gateway.housekeeping.keep()
    await api.gateway.housekeeping.keep()
    assert len([record for record in caplog.records if record.exc_info]) == 1
    await put(api, secured(tmp_path / "other.pem"))
    assert len([record for record in caplog.records if record.exc_info]) == 2
    (alarm,) = [each for each in await api.gateway.store.accounts.alarms() if each.subject == UNUSABLE]
    assert "other.pem" in alarm.reason


async def test_reports_are_taken_over_a_connection_that_could_not_be_opened(api: Api, tmp_path: Path) -> None:
    await put(api, secured(tmp_path / "authorities.pem"))
    assert "acme" not in api.gateway.dispatcher.connections
    report = DeliveryReportReq(transaction_id="t1", message_id="m1", status=MMStatus.RETRIEVED)
    answered = await api.post(encode_delivery_report(report), "/mm7/acme", **{"Content-Type": "text/xml"})
    assert (answered.status, b"<StatusCode>1000<" in answered.body) == (200, True)
    assert [each.connection for each in await api.gateway.store.reports.newest_orphans(5)] == ["acme"]


async def test_what_waits_for_a_kept_profile_without_a_lane_is_told(api: Api) -> None:
    await api.post(request())
    api.gateway.dispatcher.shut("dead")  # as if it could not be opened
    await api.gateway.housekeeping.keep()
    assert "messages wait for the connection 'dead', which does not exist" in await alarms(api)


async def test_a_removed_profile_that_could_not_be_opened_leaves_no_alarm(api: Api, tmp_path: Path) -> None:
    await put(api, secured(tmp_path / "missing.pem"))
    assert UNUSABLE in await alarms(api)
    await api.gateway.store.accounts.remove_carrier("acme")
    await api.gateway.watch.refresh()
    assert UNUSABLE not in await alarms(api)


async def test_the_alarms_of_a_removed_connection_end_and_those_of_others_stay(api: Api) -> None:
    for subject in ("dead is down", "deadwood is down"):
        await api.gateway.alarms.raise_(subject, "nobody there")
    await api.gateway.store.accounts.remove_carrier("dead")
    await api.gateway.watch.refresh()
    async with asyncio.timeout(30):
        while "dead is down" in await alarms(api):
            await asyncio.sleep(0.01)
    assert "deadwood is down" in await alarms(api)


async def test_a_name_that_becomes_an_smsc_s_gets_no_mms_any_more(api: Api) -> None:
    await put(api, SmscProfile(name="dead", host="127.0.0.1", port=9))
    assert api.gateway.profiles == {}
    assert dict(elements((await api.post(request())).body))["error-code"] == "E628"


async def test_only_an_smsc_carries_the_sms_of_a_number_that_no_mms_reaches(api: Api) -> None:
    await api.carrier(reach=Reach(operators=frozenset({"31002"}), sms=("other",)))
    await put(api, CarrierProfile(name="other", endpoints=DEAD, reach=Reach(operators=frozenset({"31003"}))))
    await api.switch(fallback_unsupported=True)
    document = request(operator_id="31004")
    assert dict(elements((await api.post(document)).body))["error-code"] == "E628"
    await put(api, SmscProfile(name="other", host="127.0.0.1", port=9))
    told = dict(elements((await api.post(document)).body))
    message = await api.gateway.store.messages.by_tracking(told["tracking-id"])
    assert message
    assert (message.state, message.connection) == (State.FALLBACK, "other")


async def test_housekeeping_ends_an_alarm_about_what_could_not_be_read_a_day_ago(api: Api) -> None:
    gateway = api.gateway
    await gateway.alarms.unreadable("dead", "it is no XML")
    await gateway.housekeeping.keep()
    subject = "dead sends what can't be read"
    assert subject in await alarms(api)
    a_day_ago = gateway.clock.now() - READABLE_FOR
    await gateway.store.accounts.clear_alarm(subject, at=a_day_ago)
    await gateway.store.accounts.raise_alarm(subject, "it is no XML", at=a_day_ago)
    await gateway.housekeeping.keep()
    assert subject not in await alarms(api)


async def test_what_is_known_of_a_connection_outlives_its_lanes_until_it_is_removed(api: Api) -> None:
    connections = api.gateway.mmscs.connections
    known = connections["dead"]
    await api.carrier(pace=Pace(connections=3))
    assert connections["dead"] is known
    assert known.state.window == 3
    await api.gateway.store.accounts.remove_carrier("dead")
    await api.gateway.watch.refresh()
    async with asyncio.timeout(30):
        while "dead" in connections:
            await asyncio.sleep(0.01)


async def test_what_is_known_of_an_smsc_outlives_its_lanes_until_it_is_removed(api: Api) -> None:
    await put(api, SmscProfile(name="sms", host="127.0.0.1", port=9))
    links = api.gateway.smscs.links
    known = links["sms"]
    await put(api, SmscProfile(name="sms", host="127.0.0.1", port=9, pace=SmscPace(window=3)))
    assert links["sms"] is known
    assert known.outflow.window.most == 3
    await api.gateway.store.accounts.remove_carrier("sms")
    await api.gateway.watch.refresh()
    async with asyncio.timeout(30):
        while "sms" in links:
            await asyncio.sleep(0.01)


async def test_an_sms_whose_smsc_is_down_leaves_by_the_next_of_the_profiles_list(api: Api) -> None:
    spare = Smsc()
    await spare.start()
    try:
        await put(api, SmscProfile(name="sms", host="127.0.0.1", port=9, pace=SmscPace(retry=SECOND)))
        await put(api, SmscProfile(name="spare", host="127.0.0.1", port=spare.port))
        await api.carrier(reach=Reach(operators=frozenset({"31002"}), sms=("sms", "spare")))
        await api.switch(fallback_unsupported=True)
        told = dict(elements((await api.post(request(operator_id="31004"))).body))
        link = await spare.link()
        link.accept(await link.submit(), "1")
        async with asyncio.timeout(30):
            while not (message := await api.gateway.store.messages.by_tracking(told["tracking-id"])) or (
                message.state is not State.SMS_SENT
            ):
                await asyncio.sleep(0.01)
        assert message.connection == "spare"
    finally:
        await spare.stop()
        await api.gateway.store.accounts.remove_carrier("spare")
        await api.gateway.watch.refresh()
