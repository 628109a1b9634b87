"""The order of the checks is part of the contract (3, 6.1): of several faults the first one answers (G-31)."""

from typing import Any

from mmsgate.carriers.profile import Reach
from mmsgate.domain.account import Block, RateLimits
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import Action
from mmsgate.store import NumberSource
from tests.integration.api.conftest import KEY, Api, elements, medium, request

BLOCKED, FREE = "4915112345678", "4915112345679"
LONG_TEXT = "<slide><message-text>" + "x" * 5001 + "</message-text></slide>"
CUT_OFF = medium("image", "http://127.0.0.1:9/x.jpg")

#: Every fault of the document, the first to be found first: its code, its element, the wrong value, the right one.
DOCUMENT: list[tuple[str, str, str | None, str | None]] = [
    ("E104", "api_key", "mg_wrong", KEY),
    ("E105", "", None, ""),  # of the account; see ACCOUNT
    ("E112", "", None, ""),
    ("E100", "action", None, "saveMMS"),
    ("E107", "action", "saveMMS", "sendMMS"),
    ("E106", "", None, ""),
    ("E201", "to", None, "0044"),
    ("E110", "to", "0044", BLOCKED),
    ("E114", "to", BLOCKED, FREE),
    ("E111", "from", "99999", "28444"),
    ("E115", "from_mask", "far too long a mask", "LakeClub"),
    ("E627", "service_id", "99", "32113"),
    ("E650", "operator_id", "verizon", "99999"),
    ("E651", "operator_id", "99999", None),
    ("E714", "campaignRef", "autumn", "spring"),
    ("E715", "", None, ""),
    ("E311", "name", None, "n"),
    ("E314", "message_subject", "x" * 81, "s"),
    ("E622", "fallback_sms_text", None, "Look:"),
    ("E100", "fallback_sms_link_expiration", "yesterday", ""),
    ("E312", "slides", "", LONG_TEXT),
    ("E228", "slides", LONG_TEXT, CUT_OFF),
    ("E351", "slides", CUT_OFF, "<slide><message-text>hello</message-text></slide>"),
    ("E618", "", None, ""),
    ("E619", "", None, ""),
    ("E628", "", None, ""),
    ("E713", "", None, ""),
]


async def spoil(api: Api) -> None:
    """Everything that can be wrong with an account and its carrier."""
    block = Block(account_id=api.account.id, sender="", number=BLOCKED)
    await api.gateway.store.accounts.block(block, at=0)
    await api.switch(require_operator=True, enforce_campaign=True)
    await api.change(
        active=False, ip_allow=("192.0.2.0/24",), actions=frozenset({Action.SEND_MMS}), billing_ok=False,
        campaigns={"spring": frozenset()},
    )  # fmt: skip
    await api.carrier(reach=Reach(sender_types=frozenset({SenderType.TOLL_FREE})))


async def repair(api: Api, code: str) -> None:
    """Put right what the account or its carrier has wrong; what the document has wrong is not here."""
    match code:
        case "E105":
            await api.change(active=True)
        case "E112":
            await api.change(ip_allow=())
        case "E107":  # from here on a call is counted
            await api.change(rates=RateLimits(gap=3600))
            await api.post(request())
        case "E106":
            await api.change(rates=RateLimits())
        case "E715":
            await api.change(campaigns={"spring": frozenset({FREE})})
        case "E618":
            await api.gateway.store.numbers.learn(
                FREE, "31003", source=NumberSource.CARRIER, at=api.gateway.clock.now(), expires_at=2**62
            )
        case "E619":
            await api.carrier(reach=Reach(operators=frozenset({"31002"})))
        case "E628":
            await api.carrier()
        case "E713":
            await api.change(billing_ok=True)


async def test_of_all_faults_at_once_the_first_answers_then_the_next(api: Api) -> None:
    await spoil(api)
    values: dict[str, Any] = {}
    for _, name, wrong, _ in reversed(DOCUMENT):
        values |= {name: wrong} if name else {}
    answered = []
    for code, name, _, right in DOCUMENT:
        told = dict(elements((await api.post(request(**values))).body))
        answered.append(told.get("error-code", told["status"]))
        values |= {name: right} if name else {}
        await repair(api, code)
    assert answered == [code for code, *_ in DOCUMENT]
    assert elements((await api.post(request(**values))).body)[0] == ("status", "Success")
