"""saveMMS, sendSavedMMS, deleteMMSID, getMMSTemplates, getMmsIds and loginUser over HTTP."""

import asyncio

from lxml import etree

from mmsgate.clock import DAY, HOUR
from mmsgate.delivery.encoder import EncodeJob, Encoder
from mmsgate.delivery.rendition import Unfit
from mmsgate.domain.message import Message
from mmsgate.media.storage import FileBlobStore
from mmsgate.mm7.dialect import Dialect
from mmsgate.postbacks.ledger import receiver_of
from tests.integration.api.conftest import KEY, Api, demo, elements, medium, request
from tests.integration.api.test_error_codes import skycore

TWO_SLIDES = (
    "<slide><message-text>Hello {$first_name|friend}</message-text></slide>"
    "<slide><message-text>Second</message-text><duration>5</duration></slide>"
)


def save(*, slides: str = TWO_SLIDES, **changes: str | None) -> str:
    given = {"action": "saveMMS", "to": None, "from": None, "service_id": None, "message_subject": "S", **changes}
    return request(slides=slides, more="", **given)


async def saved(api: Api, *, slides: str = TWO_SLIDES, **changes: str | None) -> str:
    """A template's id."""
    told = elements((await api.post(save(slides=slides, **changes))).body)
    assert [name for name, _ in told] == ["status", "mms-id"], told
    return told[1][1]


def send(mms_id: str, *, more: str = "", **changes: str | None) -> str:
    return request(slides="", more=more, action="sendSavedMMS", mms_id=mms_id, name=None, **changes)


async def sent(api: Api, document: str) -> Message:
    told = dict(elements((await api.post(document)).body))
    assert told["status"] == "Success", told
    message = await api.gateway.store.messages.by_tracking(told["tracking-id"])
    assert message is not None
    return message


async def refused(api: Api, document: str) -> str:
    told = dict(elements((await api.post(document)).body))
    assert told["status"] == "Failure", told
    return told["error-code"]


async def texts_of(api: Api, message: Message) -> list[str]:
    content = await api.gateway.store.messages.content(message.content_id)
    assert content is not None
    return [slide.text for slide in content.slides]


async def test_a_saved_message_is_sent_with_the_elements_in_order(api: Api) -> None:
    mms_id = await saved(api)
    told = elements((await api.post(send(mms_id))).body)
    assert [name for name, _ in told] == ["status", "mms-id", "tracking-id", "to", "from", "status-details"]
    values = dict(told)
    assert (values["mms-id"], values["to"], values["from"]) == (mms_id, "12065550100", "28444")
    message = await api.gateway.store.messages.by_tracking(values["tracking-id"])
    assert message is not None
    assert str(message.mms_id) == mms_id


async def test_without_anything_personal_the_templates_own_content_is_shared(api: Api) -> None:
    plain = "<slide><message-text>Hello all</message-text></slide>"
    mms_id = await saved(api, slides=plain)
    first, second = await sent(api, send(mms_id)), await sent(api, send(mms_id, to="12065550199"))
    assert first.content_id == second.content_id == int(mms_id)


async def test_custom_texts_subject_and_merge_data(api: Api) -> None:
    mms_id = await saved(api, fallback_sms_text="Look, {$FIRST_NAME|you}:")
    more = (
        "<custom-text><slide>2</slide><value>Your seat: {$seat}</value></custom-text>"
        "<data><First_Name>Ada</First_Name><seat>7A</seat></data>"
    )
    message = await sent(api, send(mms_id, more=more, custom_subject="For {$first_name}", fallback_sms_text=None))
    assert await texts_of(api, message) == ["Hello Ada", "Your seat: 7A"]
    content = await api.gateway.store.messages.content(message.content_id)
    assert content is not None
    assert (content.subject, message.fallback.text) == ("For Ada", "Look, Ada:")
    assert (str(message.mms_id), content.slides[1].duration) == (mms_id, 5)
    assert await texts_of(api, await sent(api, send(mms_id))) == ["Hello friend", "Second"]


async def test_a_personal_page_shows_the_personal_text(api: Api) -> None:
    mms_id = await saved(api)
    message = await sent(api, send(mms_id, more="<data><first_name>Ada</first_name></data>"))
    page = await api.get(f"/m/{message.fallback.token}")
    assert b"Hello Ada" in page.body


async def test_custom_texts_that_do_not_fit_the_template(api: Api) -> None:
    mms_id = await saved(api)
    for custom in (
        "<slide>3</slide><value>x</value>", "<value>x</value>", "<slide>1</slide>",
        "<slide>first</slide><value>x</value>",
    ):  # fmt: skip
        assert await refused(api, send(mms_id, more=f"<custom-text>{custom}</custom-text>")) == "E313"
    nowhere = await api.post(send(mms_id, more="<custom-text><value>x</value></custom-text>"))
    assert b"<error-info>custom-text names no slide.</error-info>" in nowhere.body
    long = f"<custom-text><slide>1</slide><value>{'x' * 5001}</value></custom-text>"
    assert await refused(api, send(mms_id, more=long)) == "E228"
    assert await refused(api, send(mms_id, custom_subject="x" * 81)) == "E314"


async def test_a_text_that_merge_tags_make_too_long_fails_the_message(api: Api) -> None:
    """API contract 7."""
    mms_id = await saved(api)
    message = await sent(api, send(mms_id, more=f"<data><first_name>{'x' * 6000}</first_name></data>"))
    carrier = next(iter(api.gateway.profiles.values()))
    chosen = await api.gateway.renditions.on(carrier).choose(message)
    assert isinstance(chosen, Unfit)
    assert chosen.final
    assert "Error fetching dynamic content" in chosen.reason


async def test_the_order_of_checks(api: Api) -> None:
    assert await refused(api, send("", to="", **{"from": "1"})) == "E620"
    assert await refused(api, send("x", to="")) == "E241"
    mms_id = await saved(api)
    assert await refused(api, send(mms_id, to="")) == "E201"
    assert await refused(api, send(mms_id, **{"from": "99999"})) == "E111"
    assert await refused(api, send(mms_id, service_id="1", custom_subject="x" * 81)) == "E627"
    assert await refused(api, save(name="", message_subject="")) == "E311"
    assert await refused(api, save(message_subject="", slides="")) == "E314"
    assert await refused(api, save(slides="")) == "E312"


async def test_the_request_counts_before_the_template_and_that_before_the_account(api: Api) -> None:
    mms_id = await saved(api, fallback_sms_text="from the template", disable_fallback_sms_link="yes")
    message = await sent(api, send(mms_id, fallback_sms_text=None))
    assert (message.fallback.text, message.fallback.link) == ("from the template", False)
    message = await sent(api, send(mms_id, fallback_sms_text="own", disable_fallback_sms_link="no"))
    assert (message.fallback.text, message.fallback.link) == ("own", True)
    bare = await saved(api, fallback_sms_text=None)
    assert await refused(api, send(bare, fallback_sms_text=None)) == "E622"
    await api.change(fallback_text="from the account")
    assert (await sent(api, send(bare, fallback_sms_text=None))).fallback.text == "from the account"


async def test_n003_follows_at_once(api: Api) -> None:
    url = "http://127.0.0.1:9/postbacks"
    await api.change(postback=type(api.account.postback)(url=url))
    mms_id = await saved(api)
    (told,) = await api.gateway.store.postbacks.of_message(int(mms_id))
    assert (told.code, told.url) == ("N003", url)
    receiver = receiver_of(api.account.id, url)
    assert await api.gateway.store.postbacks.next_due(receiver, default=0) > 0


async def test_the_list_is_newest_first_and_counts_all(api: Api) -> None:
    photo = api.origin.file("/p.jpg", demo("small.jpg"))
    ids = [await saved(api, name=f"n{number}") for number in range(3)]
    ids.append(await saved(api, name="photo", slides=medium("image", photo)))
    answered = await api.post(request(action="getMMSTemplates", to=None, slides="", items_per_page="2"))
    root = etree.fromstring(answered.body)
    assert [str(child.tag) for child in root] == [
        "status", "start-date", "page-number", "items-per-page", "total-results", "mms-template", "mms-template",
    ]  # fmt: skip
    assert [root.findtext(name) for name in ("page-number", "items-per-page", "total-results")] == ["1", "2", "4"]
    first = root.find("mms-template")
    assert first is not None
    listed = {str(child.tag): child.text for child in first}
    assert list(listed) == ["mms-id", "mms-name", "mms-subject", "date-created", "total-slides", "mms-size"]
    assert (listed["mms-id"], listed["mms-name"], listed["total-slides"]) == (ids[3], "photo", "1")
    assert listed["mms-size"] == str(len(demo("small.jpg")))
    last = etree.fromstring((await api.post(request(
        action="getMMSTemplates", to=None, slides="", items_per_page="3", page_number="2"
    ))).body)  # fmt: skip
    assert [each.findtext("mms-id") for each in last.iter("mms-template")] == [ids[0]]
    beyond = etree.fromstring((await api.post(request(
        action="getMMSTemplates", to=None, slides="", page_number="9", start_date="2099-01-01T00:00:00+00:00"
    ))).body)  # fmt: skip
    assert (beyond.findtext("status"), beyond.findtext("total-results")) == ("Success", "0")
    assert beyond.findtext("start-date") == "2099-01-01T00:00:00+00:00"


async def test_skycore_lists_the_picture_of_a_template_as_its_poster(api: Api) -> None:
    photo = api.origin.file("/photo.jpg", demo("small.jpg"), "image/jpeg")
    await saved(api, slides=f"<slide><text>Hi</text></slide>{medium('image', photo)}")
    path = f"/API/wxml/1.3/index.php?action=getMMSTemplates&api_key={KEY}"
    listed = etree.fromstring((await api.get(path)).body)
    assert listed.findtext("MMS_TEMPLATE/POSTER_URL") == photo


async def test_a_one_off_message_is_no_template(api: Api) -> None:
    told = dict(elements((await api.post(request())).body))
    assert await refused(api, send(told["mms-id"])) == "E241"
    listed = etree.fromstring((await api.post(request(action="getMMSTemplates", to=None, slides=""))).body)
    assert listed.findtext("total-results") == "0"


async def test_deleting_refuses_new_sends_and_leaves_pages_alone(api: Api) -> None:
    """R-24."""
    photo = api.origin.file("/p.jpg", demo("small.jpg"))
    mms_id = await saved(api, slides=medium("image", photo))
    message = await sent(api, send(mms_id))
    delete = request(action="deleteMMSID", mms_id=mms_id, to=None, slides="")
    assert elements((await api.post(delete)).body) == [("status", "Success"), ("mms-id", mms_id)]
    assert await refused(api, delete) == "E241"
    assert await refused(api, send(mms_id)) == "E241"
    assert (await api.get(f"/m/{message.fallback.token}")).status == 200
    store = api.gateway.store
    assert await store.templates.free_unneeded(now=message.accepted_at + 30 * DAY) == 0  # the page needs it
    assert await store.templates.free_unneeded(now=message.fallback.expires_at + HOUR) == 1
    assert await store.messages.content(int(mms_id)) is None


async def test_an_unsent_template_frees_its_files_with_its_deletion(api: Api) -> None:
    photo = api.origin.file("/p.jpg", demo("small.jpg"), "image/jpeg\r\nCache-Control: no-store")
    mms_id = await saved(api, slides=medium("image", photo))
    content = await api.gateway.store.messages.content(int(mms_id))
    assert content is not None
    blob = content.media[0].blob
    assert await api.gateway.store.media.unneeded([blob]) == []
    await api.post(request(action="deleteMMSID", mms_id=mms_id, to=None, slides=""))
    assert await api.gateway.store.messages.content(int(mms_id)) is None
    assert await api.gateway.store.media.unneeded([blob]) == [blob]


async def test_templates_are_invisible_to_other_accounts(api: Api) -> None:
    mms_id = await saved(api)
    template = await api.gateway.store.templates.get(int(mms_id), api.account.id + 1)
    assert template is None
    assert not await api.gateway.store.templates.delete(int(mms_id), api.account.id + 1, at=1)
    assert await api.gateway.store.templates.count(api.account.id + 1, since=0) == 0
    assert await api.gateway.store.templates.ids(api.account.id + 1) == []


async def test_idempotency_covers_saving_too(api: Api) -> None:
    first = await api.post(save(), Idempotency_Key="k1")
    again = await api.post(save(), Idempotency_Key="k1")
    assert again.body == first.body
    assert await api.gateway.store.templates.count(api.account.id, since=0) == 1


async def test_the_skycore_forms(api: Api) -> None:
    path = "/API/wxml/1.3/index.php"
    told = dict(elements((await api.post(skycore(save(fallback_sms_text="See it:")), path)).body))
    assert list(told) == ["STATUS", "MMSID"]
    query = (
        f"action=sendsavedmms&api_key={KEY}&mmsid={told['MMSID']}&to=12065550100&from=28444"
        "&customtext_2=Bye+now&data_first_name=Ada"
    )
    answered = dict(elements((await api.get(f"{path}?{query}")).body))
    assert list(answered) == ["STATUS", "MMSID", "TRACKINGID", "TO", "FROM", "STATUSDETAILS"]
    message = await api.gateway.store.messages.by_tracking(answered["TRACKINGID"])
    assert message is not None
    assert await texts_of(api, message) == ["Hello Ada", "Bye now"]
    listed = etree.fromstring((await api.get(f"{path}?action=getMMSTemplates&api_key={KEY}")).body)
    entry = listed.find("MMS_TEMPLATE")
    assert entry is not None
    assert [str(child.tag) for child in entry] == [
        "MMSID", "NAME", "SUBJECT", "FALLBACK_SMS_TEXT", "DATE_CREATED", "TOTAL_SLIDES", "SIZE",
    ]  # fmt: skip
    assert listed.findtext("TOTAL_RESULTS") == "1"
    ids = elements((await api.get(f"{path}?action=getmmsids&api_key={KEY}")).body)
    assert ids == [("STATUS", "Success"), ("MMSIDS", told["MMSID"])]
    session = elements((await api.get(f"{path}?action=loginUSer&api_key={KEY}")).body)
    assert [name for name, _ in session] == ["STATUS", "SESSIONID"]
    await api.get(f"{path}?action=deletemmsid&api_key={KEY}&mmsid={told['MMSID']}")
    none = dict(elements((await api.get(f"{path}?action=getmmsids&api_key={KEY}")).body))
    assert (none["ERRORCODE"], none["ERRORINFO"]) == ("E200", "No MMS Templates were created in this account.")


# -- sound and video


def film_request(api: Api, data: bytes, **more: str) -> str:
    slides = medium("video", api.origin.file("/film.mp4", data))
    return save(slides=slides, **more)


async def test_a_template_with_sound_is_locked_until_it_is_prepared(api: Api) -> None:
    await api.gateway.preparer.stop()
    mms_id = await saved(api, slides=medium("audio", api.origin.file("/chime.mp3", demo("chime.mp3"))))
    assert await refused(api, send(mms_id)) == "E626"
    api.gateway.preparer.start()
    async with asyncio.timeout(60):
        while (answer := dict(elements((await api.post(send(mms_id))).body)))["status"] != "Success":
            assert answer["error-code"] == "E626"
            await asyncio.sleep(0.02)  # it is made in another process


async def test_skycore_says_at_once_that_a_video_has_no_known_codec(api: Api) -> None:
    """Contract 5.4: E343, where the kebab dialect sends E003 later."""
    unknown = demo("lake.mp4").replace(b"avc1", b"zzzz").replace(b"mp4a", b"zzzz")
    document = film_request(api, unknown)
    answer = dict(elements((await api.post(skycore(document), "/API/wxml/1.3/")).body))
    assert (answer["ERRORCODE"], answer["ERRORINFO"]) == ("E343", "Video in slide 1 has missing codecs")
    assert dict(elements((await api.post(document)).body))["status"] == "Success"


async def test_an_encoded_form_whose_file_is_gone_is_made_again_and_kept_in_its_place(api: Api) -> None:
    mms_id = int(await saved(api))
    store, folder = api.gateway.store, api.gateway.settings.blobs
    content = await store.messages.content(mms_id)
    assert content is not None
    job = EncodeJob(slides=content.slides, dialect=Dialect())
    rows, texts, encodes = [], [], []
    for _ in range(3):
        blobs = FileBlobStore(folder, clock=api.gateway.clock)
        encoder = Encoder(blobs, store.renditions)
        texts.append(b"".join((await encoder.encode(job, mms_id)).buffers))
        encodes.append(encoder.encodes)
        rows.append(await store.renditions.encoded(mms_id, "", job.dialect.key))
        if len(rows) == 1 and rows[0]:
            blobs.place(rows[0].blob).unlink()
    lost, made, loaded = rows
    assert lost is not None
    assert made is not None
    assert lost.blob != made.blob
    assert (made, texts[1], encodes) == (loaded, texts[2], [1, 1, 0])
