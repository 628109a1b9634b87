"""Which way a message goes, over the API: operator, connection, the SMS instead, the local sender, GET /limits."""

import json
from typing import Any

import pytest

from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.record import profile_json
from mmsgate.carriers.routing import NoRoute
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import DAY, HOUR
from mmsgate.domain.account import Sender
from mmsgate.domain.message import Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.operators import Operator
from mmsgate.domain.rendition import PAGE
from mmsgate.domain.state import State
from mmsgate.http import Answered
from mmsgate.store import NumberSource
from tests.integration.api.conftest import KEY, Api, elements, request

NUMBER = "12065550100"


async def learn(api: Api, operator: str, *, age: int = 0, mms: bool = True) -> None:
    now = api.gateway.clock.now()
    await api.gateway.store.numbers.learn(
        NUMBER, operator, source=NumberSource.LOOKUP, at=now - age, expires_at=now + DAY, mms=mms
    )


async def add_carrier(api: Api, name: str, **reach: Any) -> None:
    profile = CarrierProfile(name=name, endpoints=("http://127.0.0.1:9/mm7",), reach=Reach(**reach))
    await api.gateway.store.accounts.put_carrier(name, profile_json(profile))
    await api.gateway.watch.refresh()


async def sent(api: Api, document: str) -> Message:
    told = dict(elements((await api.post(document)).body))
    assert told["status"] == "Success", told
    message = await api.gateway.store.messages.by_tracking(told["tracking-id"])
    assert message
    return message


async def refusal(api: Api, document: str) -> tuple[str, str]:
    answered = await api.post(document)
    told = dict(elements(answered.body))
    return told["error-code"], answered.headers.get("x-error-detail", "")


async def limits(api: Api, query: str) -> tuple[int, dict[str, Any]]:
    answered: Answered = await api.get(f"/limits?{query}", X_Api_Key=KEY)
    return answered.status, json.loads(answered.body)


# -- the operator in the timeline


async def test_the_first_event_says_whose_number_it_is_and_who_said_so(api: Api) -> None:
    await learn(api, "31002", age=2 * DAY + HOUR)
    message = await sent(api, request())
    first = (await api.gateway.store.messages.timeline(message.id))[0]
    assert first.reason == (
        "accepted for dead: 1 slide, 0 files, 0 bytes; "
        "operator 31002 AT&T: from the number cache, looked up 2 days ago"
    )
    assert (first.data["operator"], first.data["operator-from"]) == ("31002", "number-cache")
    assert message.operator == "31002"


async def test_a_message_whose_operator_nobody_knows_says_that(api: Api) -> None:
    message = await sent(api, request())
    first = (await api.gateway.store.messages.timeline(message.id))[0]
    assert first.reason.endswith("0 bytes; operator unknown")
    assert message.operator == ""


async def test_what_the_request_says_counts_for_itself_and_leaves_the_number_cache_as_it_is(api: Api) -> None:
    await learn(api, "31002")
    assert [(await sent(api, request(operator_id=each))).operator for each in ("31003", None)] == ["31003", "31002"]


async def test_an_operator_that_was_added_is_an_operator_id_and_a_route(api: Api) -> None:
    assert (await refusal(api, request(to="447712345678", operator_id="23415")))[0] == "E651"
    await api.gateway.store.operators.put(Operator(id="23415", name="Vodafone", country="GB", aliases=("2341",)))
    await add_carrier(api, "vodafone", operators=frozenset({"23415"}))
    message = await sent(api, request(to="447712345678", operator_id="2341"))
    assert (message.operator, message.connection) == ("23415", "vodafone")


# -- the connection


async def test_the_first_connection_that_is_up_gets_the_message(api: Api) -> None:
    await add_carrier(api, "att", operators=frozenset({"31002"}))
    lane = api.gateway.dispatcher
    assert (await sent(api, request(operator_id="31002"))).connection == "att"
    lane.shut("att")
    assert (await sent(api, request(operator_id="31002"))).connection == "dead"
    lane.shut("dead")
    assert (await sent(api, request(operator_id="31002"))).connection == "att"


async def test_a_number_whose_operator_is_known_to_be_elsewhere_is_e628_with_the_reason(api: Api) -> None:
    await api.carrier(reach=Reach(operators=frozenset({"31002"})))
    await learn(api, "31003")
    assert await refusal(api, request()) == (
        "E628",
        f"{NoRoute.NO_CARRIER}; operator 31003 Verizon: from the number cache, looked up just now",
    )


# -- no MMS (G-06)


async def test_a_number_that_takes_no_mms_is_e628(api: Api) -> None:
    await learn(api, "31002", mms=False)
    code, detail = await refusal(api, request())
    assert (code, detail.split(";")[0]) == ("E628", "the lookup says that the number takes no MMS")


async def test_the_kind_of_sender_is_checked_before_whether_the_number_takes_mms(api: Api) -> None:
    await learn(api, "31002", mms=False)
    await api.carrier(reach=Reach(sender_types=frozenset({SenderType.TOLL_FREE})))
    assert (await refusal(api, request()))[0] == "E619"


async def with_smsc(api: Api) -> None:
    smsc = SmscProfile(name="sms", host="127.0.0.1", port=9)
    await api.gateway.store.accounts.put_carrier("sms", profile_json(smsc))
    await api.gateway.watch.refresh()
    await api.switch(fallback_unsupported=True)


@pytest.mark.parametrize("unsupported", ["number", "operator"])
async def test_by_switch_such_a_number_gets_the_sms_at_once(api: Api, unsupported: str) -> None:
    await with_smsc(api)
    if unsupported == "number":
        await learn(api, "31002", mms=False)
    else:
        await learn(api, "31003")
        await api.carrier(reach=Reach(operators=frozenset({"31002"})))
    message = await sent(api, request())
    first = (await api.gateway.store.messages.timeline(message.id))[0]
    assert (first.state, message.connection) == (State.FALLBACK, "sms")
    why = "the lookup says that the number takes no MMS"
    why = why if unsupported == "number" else "no carrier connection reaches this operator"
    assert first.reason.startswith("accepted for sms: 1 slide")
    assert first.reason.endswith(f"SMS instead: {why}")
    assert message.details == f"SMS instead: {why}"


async def test_the_page_of_such_a_message_is_prepared(api: Api) -> None:
    await with_smsc(api)
    await learn(api, "31002", mms=False)
    await api.gateway.preparer.stop()
    message = await sent(api, request())
    (preparation,) = await api.gateway.store.preparations.claim(
        now=api.gateway.clock.now(), lease=2**62, owner="test", limit=9, each=9
    )
    assert (preparation.content_id, preparation.terms) == (message.mms_id, PAGE)


@pytest.mark.parametrize(
    ("smsc", "switch", "disabled"), [(False, True, None), (True, False, None), (True, True, "yes")]
)
async def test_without_a_fallback_it_stays_e628(api: Api, smsc: bool, switch: bool, disabled: str | None) -> None:
    await learn(api, "31002", mms=False)
    if smsc:
        await with_smsc(api)
    await api.switch(fallback_unsupported=switch)
    assert (await refusal(api, request(disable_fallback_sms=disabled)))[0] == "E628"


# -- the sender of the recipient's country (G-40)


async def test_a_saved_mms_goes_from_the_number_of_the_recipients_country(api: Api) -> None:
    await api.gateway.store.accounts.put_sender(api.account.id, Sender(number="55555", type=SenderType.SHORT_CODE))
    await api.change(default_senders={"US": "28444", "CA": "55555"})
    saved = request(action="saveMMS", to=None, message_subject="s")
    mms_id = dict(elements((await api.post(saved)).body))["mms-id"]

    def send(to: str) -> str:
        return request(action="sendSavedMMS", mms_id=mms_id, to=to, slides="")

    assert ("from", "55555") in elements((await api.post(send("14165550123"))).body)
    assert (await refusal(api, send("4915123456789")))[0] == "E111"


# -- GET /limits


async def test_limits_say_carrier_operator_sizes_types_and_why(api: Api) -> None:
    await learn(api, "31002")
    await add_carrier(api, "att", operators=frozenset({"31002"}))
    status, told = await limits(api, "to=%2B1%20206-555-0100&from=28444")
    assert status == 200
    types = told["connections"][0].pop("types")
    assert {"image/jpeg", "video/mp4"} <= set(types)
    source = told["connections"][0]["limit"].pop("source")
    assert source.endswith("(2021)")
    told["connections"][1] = told["connections"][1]["name"]
    assert told == {
        "to": NUMBER, "from": "28444", "sender-type": "short-code",
        "operator": {
            "id": "31002", "name": "AT&T", "country": "US", "told-by": "number-cache",
            "why": "operator 31002 AT&T: from the number cache, looked up just now",
        },
        "carrier": "att",
        "connections": [
            {
                "name": "att", "chosen": True, "up": True, "why": "att serves operator 31002",
                "carrier": "AT&T/short-code", "limit": {"bytes": 1_050_000, "measure": "decoded"},
            },
            "dead",
        ],
    }  # fmt: skip


async def test_limits_say_which_connection_is_down(api: Api) -> None:
    await add_carrier(api, "att", operators=frozenset({"31002"}))
    api.gateway.dispatcher.shut("att")
    _, told = await limits(api, f"to={NUMBER}&from=28444&operator-id=31002")
    assert [(each["name"], each["up"], each["chosen"]) for each in told["connections"]] == [
        ("att", False, False), ("dead", True, True),
    ]  # fmt: skip
    assert told["carrier"] == "dead"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("from=28444", 400, "E201"),
        ("to=123&from=28444", 400, "E110"),
        (f"to={NUMBER}", 400, "E111"),
        (f"to={NUMBER}&from=28444&operator-id=x", 400, "E650"),
        (f"to={NUMBER}&from=28444&operator-id=1", 400, "E651"),
        (f"to={NUMBER}&from=28444&operator-id=31003", 400, "E628"),
        (f"to={NUMBER}&from=12065550100&operator-id=31002", 400, "E619"),
    ],
)
async def test_limits_are_refused_as_the_message_would_be(api: Api, query: str, status: int, code: str) -> None:
    await api.carrier(reach=Reach(operators=frozenset({"31002"}), sender_types=frozenset({SenderType.SHORT_CODE})))
    answered, told = await limits(api, query)
    assert (answered, told["error-code"]) == (status, code)


async def test_limits_are_nobody_elses_business(api: Api) -> None:
    assert (await api.get(f"/limits?to={NUMBER}&from=28444")).status == 401
    await api.change(active=False)
    assert (await api.get(f"/limits?to={NUMBER}&from=28444", X_Api_Key=KEY)).status == 403
