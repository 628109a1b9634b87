"""sendMMS over HTTP: what is accepted, in which forms, how often, and what is stored."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from mmsgate.clock import DAY
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Message
from mmsgate.store import Store
from mmsgate.watch import LOOK_EVERY
from tests.integration.api.conftest import KEY, Api, demo, elements, medium, request
from tests.integration.api.test_error_codes import skycore

ALL_KINDS = {
    "image": "small.jpg", "audio": "chime.mp3", "video": "lake.mp4", "vcard": "card.vcf", "ical": "party.ics",
    "pdf": "flyer.pdf", "passbook": "ticket.pkpass",
}  # fmt: skip


async def accepted(api: Api, body: str | bytes, path: str = "/ep/v1/", **headers: str) -> Message:
    told = dict(elements((await api.post(body, path, **headers)).body))
    told = {name.lower().replace("-", ""): value for name, value in told.items()}
    assert told["status"] == "Success", told
    message = await api.gateway.store.messages.by_tracking(told["trackingid"])
    assert message is not None
    return message


async def test_success_has_the_elements_in_order_and_is_committed(api: Api) -> None:
    answered = await api.post(request())
    told = elements(answered.body)
    assert [name for name, _ in told] == ["status", "to", "mms-id", "tracking-id", "status-details"]
    values = dict(told)
    assert values["status-details"] == "MMS request accepted and queued for delivery"
    message = await api.gateway.store.messages.by_tracking(values["tracking-id"])
    assert message is not None
    assert (str(message.mms_id), message.recipient) == (values["mms-id"], values["to"])
    assert len(values["tracking-id"]) == 22


async def test_every_parameter_is_kept(api: Api) -> None:
    document = request(
        to="+49 151 1234-5678", operator_id="0001890", campaignRef="ignored", message_subject="Saturday",
        from_mask="LakeClub", fallback_sms_link_expiration="2099-01-01T00:00:00Z", disable_fallback_sms_link="yes",
        slides="<slide><duration>7</duration><message-text> Boats\n&amp; ☀ </message-text></slide>",
    )  # fmt: skip
    message = await accepted(api, document)
    content = await api.gateway.store.messages.content(message.mms_id)
    assert content is not None
    assert (message.recipient, message.operator, message.sender_mask) == ("4915112345678", "31003", "LakeClub")
    assert (message.service_id, content.name, content.subject) == ("32113", "n", "Saturday")
    assert (content.slides[0].text, content.slides[0].duration) == (" Boats\n& ☀ ", 7)
    fallback = message.fallback
    assert (fallback.enabled, fallback.text, fallback.link) == (True, "Look:", False)
    assert fallback.expires_at == message.accepted_at + 365 * DAY


@pytest.mark.parametrize(
    ("account", "asked", "enabled"),
    [
        (True, None, True), (True, "yes", False), (True, "no", True), (True, "perhaps", True),
        (False, None, False), (False, "no", True), (False, "yes", False), (False, "perhaps", False),
    ],
)  # fmt: skip
async def test_what_the_request_says_of_the_fallback_counts_before_the_account(
    account: bool, asked: str | None, enabled: bool, api: Api
) -> None:
    """Contract 9, precedence."""
    await api.change(fallback_enabled=account)
    message = await accepted(api, request(disable_fallback_sms=asked))
    assert message.fallback.enabled is enabled


async def test_a_subject_with_emoji_is_accepted_unless_the_account_rejects_it(api: Api) -> None:
    """R-18, G-29."""
    document = request(message_subject="Boats ⛵")
    message = await accepted(api, document)
    content = await api.gateway.store.messages.content(message.mms_id)
    assert content is not None
    assert content.subject == "Boats ⛵"
    await api.switch(reject_unicode_subject=True)
    answered = await api.post(document)
    assert dict(elements(answered.body))["error-code"] == "E314"
    assert "GSM-7" in answered.headers["x-error-detail"]
    await accepted(api, request(message_subject="Größe: 5 €"))


@pytest.mark.parametrize("separator", [",", ";", " ", ", ", "\n"])
async def test_a_list_of_recipients_is_e110(separator: str, api: Api) -> None:
    """G-30."""
    told = dict(elements((await api.post(request(to=f"12065550100{separator}12065550101"))).body))
    assert told["error-code"] == "E110"


async def test_the_query_of_a_medias_url_is_kept(api: Api) -> None:
    """G-34: without it a signed URL opens nothing."""
    url = api.origin.file("/photo.jpg?signature=a%2Bb&expires=1", demo("small.jpg"))
    await accepted(api, request(slides=medium("image", url.replace("&", "&amp;"))))
    assert api.origin.asked == ["/photo.jpg?signature=a%2Bb&expires=1"]


async def test_a_view_of_the_fallback_page_stands_in_the_timeline_once(api: Api) -> None:
    """R-37: views and preview robots, told apart."""
    message = await accepted(api, request())
    seen = f"/m/{message.fallback.token}/seen"
    for _ in range(2):
        assert (await api.post(b"", seen)).status == 204
    assert (await api.get(f"/m/{message.fallback.token}", User_Agent="WhatsApp/2.0")).status == 200
    robot = "a preview robot fetched the fallback page"
    while robot not in (told := [event.reason for event in await api.gateway.store.messages.timeline(message.id)]):
        await asyncio.sleep(0.01)  # a robot is counted after it has been answered
    assert told.count("the fallback page was opened") == 1


async def test_all_kinds_of_media(api: Api) -> None:
    slides = "".join(
        medium(kind, api.origin.file(f"/{kind}/{name}", demo(name))) for kind, name in ALL_KINDS.items()
    )
    message = await accepted(api, request(slides=slides))
    content = await api.gateway.store.messages.content(message.mms_id)
    assert content is not None
    kept = [(slide.media[0].kind, slide.media[0].size) for slide in content.slides]
    assert kept == [(MediaKind(kind), len(demo(name))) for kind, name in ALL_KINDS.items()]
    assert content.slides[0].media[0].width > 0
    for slide, name in zip(content.slides, ALL_KINDS.values(), strict=True):
        assert await api.gateway.blobs.read(slide.media[0].blob) == demo(name)


async def test_a_thousand_sends_of_one_url_are_one_fetch_and_one_store(api: Api) -> None:
    url = api.origin.file("/photo.jpg", demo("small.jpg"))
    document = request(slides=medium("image", url))

    async def send(count: int) -> None:
        for _ in range(count):
            await accepted(api, document)

    await asyncio.gather(*(send(5) for _ in range(200)))
    counters = api.gateway.fetcher.counters
    assert (counters.fetches, counters.stored) == (1, 1)
    assert api.origin.asked == ["/photo.jpg"]


async def test_a_strict_account_fetches_for_every_request(api: Api) -> None:
    """R-06."""
    await api.switch(strict_media=True)
    url = api.origin.file("/photo.jpg", demo("small.jpg"), "image/jpeg")
    for _ in range(2):
        await accepted(api, request(slides=medium("image", url)))
    assert api.origin.asked == ["/photo.jpg"] * 2


async def test_the_skycore_forms(api: Api) -> None:
    document = skycore(request())
    path = "/API/wxml/1.3/index.php"
    await accepted(api, document, path, Content_Type="application/x-www-form-urlencoded")
    await accepted(api, document, path, Content_Type="text/xml")
    form = f"xml={quote(document)}"
    await accepted(api, form, path, Content_Type="application/x-www-form-urlencoded")
    parts = f'--b\r\nContent-Disposition: form-data; name="xml"\r\n\r\n{document}\r\n--b--\r\n'
    message = await accepted(api, parts, "/API/wxml/1.3/", Content_Type="multipart/form-data; boundary=b")
    assert message.dialect.value == "skycore"
    file = parts.replace('name="xml"', 'name="xml"; filename="f.xml"')
    await accepted(api, file, "/API/wxml/1.3/", Content_Type="multipart/form-data; boundary=b")
    declared = parts.replace('name="xml"', 'name="xml"; filename="f"').replace(
        document, f'<?xml version="1.0" encoding="iso-8859-1"?>{document.replace("<NAME>n", "<NAME>Größe")}'
    )
    message = await accepted(
        api, declared.encode("latin-1"), "/API/wxml/1.3/", Content_Type="multipart/form-data; boundary=b"
    )
    content = await api.gateway.store.messages.content(message.mms_id)
    assert content is not None
    assert content.name == "Größe"
    got = await api.get(f"{path}?action=sendmms&api_key={KEY}")
    assert dict(elements(got.body))["ERRORCODE"] == "E100"


async def test_idempotency(api: Api) -> None:
    """R-07, R-33."""
    first = await api.post(request(), Idempotency_Key="k1")
    again = await api.post(request(), Idempotency_Key="k1")
    assert again.body == first.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = await api.post(request(name="other"), Idempotency_Key="k1")
    assert (other.status, dict(elements(other.body))["error-code"]) == (409, "E100")
    assert sum((await api.gateway.store.messages.counts()).values()) == 1
    failed = await api.post(request(service_id="99"), Idempotency_Key="k2")
    assert dict(elements(failed.body))["error-code"] == "E627"
    assert elements((await api.post(request(), Idempotency_Key="k2")).body)[0] == ("status", "Success")


async def test_a_key_whose_request_still_runs(api: Api) -> None:
    task = asyncio.create_task(
        api.post(request(slides=medium("image", api.origin.url("/slow"))), Idempotency_Key="k")
    )
    api.origin.answers["/slow"] = b""  # says nothing until it is closed
    while not api.origin.asked:
        await asyncio.sleep(0)
    running = await api.post(request(slides=medium("image", api.origin.url("/slow"))), Idempotency_Key="k")
    assert (running.status, running.headers["retry-after"]) == (409, "1")
    for writer in list(api.origin._writers):
        writer.close()
    assert dict(elements((await task).body))["error-code"] == "E351"


async def test_a_change_by_another_process_counts_within_a_second(api: Api) -> None:
    other = Store(api.gateway.settings.database)
    await other.start()
    await other.accounts.update(replace(api.account, active=False))
    await other.stop()
    assert LOOK_EVERY < 1.0
    while dict(elements((await api.post(request())).body)).get("error-code") != "E105":
        await asyncio.sleep(0.05)  # another process: there is no event to wait on


async def test_the_timeline_as_json(api: Api) -> None:
    message = await accepted(api, request(message_subject="s"))
    told = json.loads((await api.get(f"/messages/{message.tracking_id}", X_Api_Key=KEY)).body)
    assert told["tracking-id"] == message.tracking_id
    assert told["timeline"][0]["reason"].startswith("accepted for dead")
    assert told["fallback-link"].startswith(f"{api.gateway.settings.url}/m/")


async def test_the_help_page_of_a_code(api: Api) -> None:
    page = await api.get("/errors/E341")
    assert page.status == 200
    assert b"What to do" in page.body
    told = await api.get("/errors/N502")
    assert told.status == 200
    assert b"The device discovery arrived" in told.body
    assert (await api.get("/errors/n502")).status == 307
    assert (await api.get("/errors/E999999")).status == 404
    assert (await api.get("/errors/")).status == 200
    assert (await api.get("/healthz")).status == 200


async def test_the_caller_behind_a_trusted_proxy(api: Api) -> None:
    """E112: whatever is left of the right-most untrusted address, the caller may have written itself."""
    await api.change(ip_allow=("203.0.113.0/24",))
    assert dict(elements((await api.post(request(), X_Forwarded_For="203.0.113.9")).body))["error-code"] == "E112"
