"""Every error code that the actions can answer with, raised over HTTP: text and element order, in both dialects."""

import csv
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mmsgate.carriers.profile import Reach
from mmsgate.domain.account import Block, RateLimits, SourceLimits
from mmsgate.domain.number import SenderType
from mmsgate.domain.request import Action, WireDialect
from mmsgate.errors import CATALOGUE, UNREACHABLE
from tests.integration.api.conftest import Api, demo, elements, medium, request, zip_of

CODES = Path(__file__).parents[2] / "data" / "codes.csv"

Trigger = Callable[[Api], Awaitable[str]]
TRIGGERS: dict[str, Trigger] = {}


def triggers(code: str) -> Callable[[Trigger], Trigger]:
    """The request that this function returns is answered with that code."""

    def register(trigger: Trigger) -> Trigger:
        TRIGGERS[code] = trigger
        return trigger

    return register


def plain(code: str, document: Callable[[], str]) -> None:
    """A code that needs nothing but the document."""

    async def trigger(_: Api) -> str:
        return document()

    TRIGGERS[code] = trigger


def slide(*parts: str) -> str:
    return f"<slide>{''.join(parts)}</slide>"


def file(kind: str) -> str:
    return f"<{kind}><url>http://127.0.0.1:9/x</url></{kind}>"


TEXT = "<message-text>hello</message-text>"

plain("E100", lambda: "<letter/>")
plain("E104", lambda: request(api_key="mg_wrong"))
plain("E107", lambda: request(action="sendPigeon"))
plain("E108", lambda: "<request><to></request>")
plain("E110", lambda: request(to="0044"))
plain("E111", lambda: request(**{"from": "99999"}))
plain("E115", lambda: request(from_mask="12345678901234567890", to="4915112345678"))
plain("E201", lambda: request(to=""))
plain("E223", lambda: request(slides=slide(file("vcard"), file("pdf"))))
plain("E224", lambda: request(slides=slide(file("vcard"), file("image"))))
plain("E225", lambda: request(slides=slide(TEXT) * 9))
plain("E226", lambda: request(slides=slide(file("audio"), file("video"))))
plain("E227", lambda: request(slides=slide(file("image"), file("video"))))
plain("E228", lambda: request(slides=slide(f"<message-text>{'x' * 5001}</message-text>")))
plain("E230", lambda: request(slides=slide(TEXT, "<duration>0</duration>")))
plain("E311", lambda: request(name=None))
plain("E312", lambda: request(slides=""))
plain("E313", lambda: request(slides=slide(TEXT) + slide()))
plain("E314", lambda: request(message_subject="x" * 81))
plain("E622", lambda: request(fallback_sms_text=None))
plain("E627", lambda: request(service_id="99"))
plain("E650", lambda: request(operator_id="verizon"))
plain("E651", lambda: request(operator_id="99999"))


@triggers("E105")
async def _inactive(api: Api) -> str:
    await api.change(active=False)
    return request()


@triggers("E106")
async def _too_close(api: Api) -> str:
    await api.change(rates=RateLimits(gap=60))
    await api.post(request())
    return request()


@triggers("E112")
async def _wrong_address(api: Api) -> str:
    await api.change(ip_allow=("192.0.2.0/24",))
    return request()


@triggers("E113")
async def _too_many(api: Api) -> str:
    await api.change(rates=RateLimits(throughput=1))
    await api.post(request())
    return request()


@triggers("E114")
async def _blocked(api: Api) -> str:
    block = Block(account_id=api.account.id, sender="", number="12065550100")
    await api.gateway.store.accounts.block(block, at=0)
    return request()


@triggers("E120")
async def _quota(api: Api) -> str:
    await api.change(rates=RateLimits(quota=1))
    await api.post(request())
    return request()


@triggers("E229")
async def _html(api: Api) -> str:
    url = api.origin.file("/x.jpg", b"<!doctype html><html><body>no picture</body></html>", "image/jpeg")
    return request(slides=medium("image", url))


@triggers("E334")
async def _long_text(api: Api) -> str:
    await api.change(text_limit=4)
    return request()


TOO_BIG = {
    "E331": ("image", "small.jpg"), "E332": ("audio", "chime.mp3"), "E333": ("video", "lake.mp4"),
    "E335": ("vcard", "card.vcf"), "E336": ("ical", "party.ics"), "E337": ("pdf", "flyer.pdf"),
    "E338": ("passbook", "ticket.pkpass"),
}  # fmt: skip
NOT_FETCHED = {
    "E351": "image", "E352": "audio", "E353": "video", "E355": "vcard", "E356": "ical", "E357": "pdf",
    "E358": "passbook",
}  # fmt: skip


def _register_media() -> None:
    for code, (kind, name) in TOO_BIG.items():

        async def too_big(api: Api, kind: str = kind, name: str = name) -> str:
            await api.change(source_limits=SourceLimits(image=10, audio=10, video=10, object=10))
            return request(slides=medium(kind, api.origin.file(f"/{name}", demo(name))))

        TRIGGERS[code] = too_big
    for code, kind in NOT_FETCHED.items():

        async def missing(api: Api, kind: str = kind) -> str:
            return request(slides=medium(kind, api.origin.url("/missing")))

        TRIGGERS[code] = missing


_register_media()


@triggers("E341")
async def _corrupt(api: Api) -> str:
    return request(slides=medium("image", api.origin.file("/cut.jpg", demo("small.jpg")[:2000])))


@triggers("E503")
async def _broken_store(api: Api) -> str:
    await api.gateway.store.stop()
    return request()


@triggers("E618")
async def _operator_unknown(api: Api) -> str:
    await api.switch(require_operator=True)
    return request()


@triggers("E619")
async def _not_provisioned(api: Api) -> str:
    await api.carrier(reach=Reach(sender_types=frozenset({SenderType.TOLL_FREE})))
    return request()


@triggers("E628")
async def _no_carrier(api: Api) -> str:
    await api.carrier(reach=Reach(operators=frozenset({"31002"})))
    return request(operator_id="31003")


@triggers("E629")
async def _unknown_type(api: Api) -> str:
    return request(slides=medium("image", api.origin.file("/x.jpg", bytes(range(7, 200)) * 9)))


@triggers("E713")
async def _no_credit(api: Api) -> str:
    await api.change(billing_ok=False)
    return request()


@triggers("E714")
async def _no_campaign(api: Api) -> str:
    await api.switch(enforce_campaign=True)
    return request(campaignRef="spring")


@triggers("E715")
async def _not_subscribed(api: Api) -> str:
    await api.switch(enforce_campaign=True)
    await api.change(campaigns={"spring": frozenset()})
    return request(campaignRef="spring")


def saved(mms_id: str, **more: str) -> str:
    """A sendSavedMMS."""
    given = {"action": "sendSavedMMS", "mms_id": mms_id, "name": None, **more}
    return request(slides="", more="", **given)


@triggers("E626")
async def _still_encoding(api: Api) -> str:
    await api.gateway.preparer.stop()  # nobody prepares it
    url = api.origin.file("/chime.mp3", demo("chime.mp3"))
    document = request(
        action="saveMMS",
        to=None,
        sender=None,
        message_subject="s",
        fallback_sms_text=None,
        slides=medium("audio", url),
    )
    return saved(dict(elements((await api.post(document)).body))["mms-id"])


plain("E241", lambda: saved("4711"))
plain("E620", lambda: saved(""))
plain("E212", lambda: request(action="getMMSTemplates", page_number="0", to=None))
plain("E213", lambda: request(action="getMMSTemplates", items_per_page="1001", to=None))
plain("E214", lambda: request(action="getMMSTemplates", start_date="yesterday", to=None))

#: What X stands for in the texts above.
NUMBERS = {"E106": 60, "E228": 5000, "E313": 2} | dict.fromkeys((*TOO_BIG, *NOT_FETCHED, "E230", "E334", "E341"), 1)
#: Refused before anybody knows that it is a sending action, or because it is none.
WITHOUT_TO = {"E100", "E107", "E108", "E212", "E213", "E214"}


def expected_text(code: str, dialect: WireDialect, detail: str) -> str:
    return CATALOGUE[code].template(dialect).format(x=NUMBERS.get(code), detail=detail)


def skycore(document: str) -> str:
    """The same request with upper-case names."""
    renamed = document.replace("message-text", "text").replace("message-subject", "subject")
    return re.sub(r"<(/?)([A-Za-z-]+)", lambda m: f"<{m[1]}{m[2].replace('-', '').upper()}", renamed)


@pytest.mark.parametrize("code", sorted(TRIGGERS))
async def test_kebab(code: str, api: Api) -> None:
    document = await TRIGGERS[code](api)
    answered = await api.post(document)
    told = elements(answered.body)
    to = re.findall(r"<to>(.*?)</to>", document)
    assert told[0] == ("status", "Failure")
    assert told[1] == ("error-code", code), answered.headers.get("x-error-detail")
    assert told[2:-1] == ([] if code in WITHOUT_TO else [("to", to[0])])
    assert told[-1] == ("error-info", expected_text(code, WireDialect.KEBAB, ""))
    assert answered.status == 200
    assert answered.headers["content-type"] == "text/xml; charset=utf-8"
    assert answered.headers["x-request-id"]
    assert f"/errors/{code}" in answered.headers["link"]


@pytest.mark.parametrize("code", sorted(set(TRIGGERS) - {"E622", "E108", "E100"}))
async def test_skycore(code: str, api: Api) -> None:
    await api.switch(require_fallback_text=True, require_service_id=True)
    document = skycore(await TRIGGERS[code](api))
    answered = await api.post(document, "/API/wxml/1.3/index.php", Content_Type="application/x-www-form-urlencoded")
    told = elements(answered.body)
    assert told[1] == ("ERRORCODE", code), answered.headers.get("x-error-detail")
    to = [] if code in WITHOUT_TO else ["TO"]
    assert [name for name, _ in told] == ["STATUS", "ERRORCODE", *to, "ERRORINFO"]
    assert told[-1][1] == expected_text(code, WireDialect.SKYCORE, "")
    assert answered.headers["content-type"] == "text/html; charset=UTF-8"


async def test_skycore_demands_no_fallback_text_and_no_service(api: Api) -> None:
    """R-03."""
    document = skycore(request(fallback_sms_text=None, service_id=None))
    assert elements((await api.post(document, "/API/wxml/1.3/")).body)[0] == ("STATUS", "Success")


async def test_an_action_that_the_account_may_not_use(api: Api) -> None:
    await api.change(actions=frozenset({Action.SAVE_MMS}))
    assert elements((await api.post(request())).body)[1] == ("error-code", "E107")


async def test_a_second_file_of_a_kind_is_e223(api: Api) -> None:
    document = request(slides=slide(file("image"), file("image")))
    assert elements((await api.post(document)).body)[1] == ("error-code", "E223")


async def test_the_first_failing_file_in_document_order_answers(api: Api) -> None:
    """R-32: the second slide's fetch fails at once, the first one's only after its bytes have been read."""
    cut = api.origin.file("/cut.jpg", demo("small.jpg")[:2000])
    document = request(slides=medium("image", cut) + medium("audio", "http://127.0.0.1:9/x.mp3"))
    told = elements((await api.post(document)).body)
    assert told[1] == ("error-code", "E341")
    assert told[-1][1] == "Image file in slide 1 is corrupted."


async def test_a_zip_that_is_no_pass_is_refused(api: Api) -> None:
    url = api.origin.file("/x.pkpass", zip_of(**{"readme.txt": b"hello"}))
    assert elements((await api.post(request(slides=medium("passbook", url)))).body)[1] == ("error-code", "E229")


async def test_a_refused_address_names_the_setting(api: Api) -> None:
    answered = await api.post(request(slides=medium("image", "http://127.0.0.1:9/x.jpg")))
    assert elements(answered.body)[1] == ("error-code", "E351")
    assert "fetch_allow" in answered.headers["x-error-detail"]


async def test_every_code_of_the_contract_is_raised_here_or_has_a_reason() -> None:
    with CODES.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "error" and "xml-v1" in row["generation"]]
    assert len(rows) > 50
    unproven = {row["code"] for row in rows} - TRIGGERS.keys() - UNREACHABLE.keys()
    assert unproven == set()
    assert not TRIGGERS.keys() & UNREACHABLE.keys()
