"""``?dry-run=1``: what a call would do for each carrier, and that it does nothing."""

import asyncio
import io
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from mmsgate.carriers.profile import Limits
from mmsgate.delivery.rendition import Rendition
from mmsgate.domain.account import RateLimits
from mmsgate.domain.advice import ImageLook
from mmsgate.media.cage import ImageBroken
from tests.integration.api.conftest import KEY, Api, demo, elements, medium, request
from tests.integration.api.test_error_codes import skycore
from tests.integration.api.test_order import DOCUMENT, repair, spoil
from tests.integration.api.test_templates import save, saved, send, sent

DRY = "/ep/v1/?dry-run=1"
SKYCORE = "/API/wxml/1.3/index.php"
KEPT = (
    "message", "template", "content", "content_blob", "event", "postback", "rendition", "encoded", "idempotency",
    "preparation", "page", "tracking", "alarm",
)  # fmt: skip


def rows(api: Api) -> dict[str, int]:
    """How many rows there are of everything that a call could leave behind."""
    with closing(sqlite3.connect(api.gateway.settings.database)) as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in KEPT}


async def preview(api: Api, document: str, path: str = DRY, **headers: str) -> dict[str, Any]:
    """A preview that must be one, and leave nothing behind."""
    before = rows(api)
    answered = await api.post(document, path, **headers)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert answered.headers["x-request-id"]
    assert rows(api) == before
    told: dict[str, Any] = json.loads(answered.body)
    return told


def by_carrier(told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["carrier"]: each for each in told["renditions"]}


def photograph(size: tuple[int, int], quality: int = 95) -> bytes:
    """As hard to compress as a photograph."""
    bands = [Image.effect_noise(size, grain) for grain in (20, 40, 60)]
    made = io.BytesIO()
    Image.merge("RGB", bands).save(made, "JPEG", quality=quality)
    return made.getvalue()


def transparent_png() -> bytes:
    picture = Image.radial_gradient("L").resize((120, 90)).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((120, 90)))
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


async def test_the_shape_of_a_preview(api: Api) -> None:
    url = api.origin.file("/small.jpg", demo("small.jpg"))
    told = await preview(api, request(slides=f"<slide><image><url>{url}</url></image><text>Hi ☀</text></slide>"))
    assert list(told) == ["action", "slides", "size", "files", "renditions", "warnings", "problems"]
    size = len(demo("small.jpg"))
    assert (told["action"], told["slides"], told["size"]) == ("sendMMS", 1, size + len("Hi ☀".encode()))
    assert told["files"] == [
        {
            "slide": 1, "kind": "image", "type": "image/jpeg", "size": size, "width": 480, "height": 640,
            "seconds": None, "url": url,
        }
    ]  # fmt: skip
    row = by_carrier(told)["AT&T/short-code"]
    assert row == {
        "connection": "dead", "operator": "31002", "carrier": "AT&T/short-code", "sender-type": "short-code",
        "limit": {"bytes": 1_050_000, "measure": "decoded", "source": row["limit"]["source"]},
        "outcome": "mms", "size": row["size"], "changes": [], "reason": "",
    }  # fmt: skip
    assert row["limit"]["source"].startswith("community.sinch.com")
    assert size < row["size"] < size + 2_000
    assert {each["sender-type"] for each in told["renditions"]} == {"short-code", "long-code"}
    (warning,) = told["warnings"]
    assert warning.startswith("the fallback text has 5 characters: with 20 to 110 it says what it is about")
    assert told["problems"] == []


async def test_a_large_photo_is_made_smaller_for_some_and_not_for_others(api: Api) -> None:
    photo = photograph((1000, 900))
    assert 700_000 < len(photo) < 1_000_000
    url = api.origin.file("/large.jpg", photo)
    told = await preview(api, request(slides=medium("image", url)))
    found = by_carrier(told)
    sprint, verizon, unknown = found["Sprint/short-code"], found["Verizon/short-code"], found["dead/short-code"]
    (change,) = sprint["changes"]
    assert change.startswith(f"slide 1: JPEG {len(photo):,} → ")
    assert change.endswith("to fit 614,400 decoded on Sprint/short-code")
    assert (sprint["size"] <= 614_400, verizon["changes"], verizon["size"] > len(photo)) == (True, [], True)
    assert (unknown["size"], unknown["operator"]) == (sprint["size"], "")
    assert f"the files are {len(photo):,} bytes: up to 500,000 are delivered best" in told["warnings"]


async def test_a_preview_has_the_bytes_and_changes_that_the_message_gets(api: Api) -> None:
    document = request(slides=medium("image", api.origin.file("/large.jpg", photograph((1000, 900)))))
    row = by_carrier(await preview(api, document))["dead/short-code"]
    message = await sent(api, document)
    chosen = await api.gateway.renditions.on(api.gateway.profiles["dead"]).choose(message)
    assert isinstance(chosen, Rendition)
    assert (chosen.content.decoded_size, list(chosen.changes)) == (row["size"], row["changes"])
    assert all(change in chosen.summary for change in row["changes"])


async def test_warnings_name_what_phones_do_badly(api: Api) -> None:
    url = api.origin.file("/clear.png", transparent_png())
    slides = f"<slide><duration>45</duration><image><url>{url}</url></image></slide>"
    told = await preview(
        api, request(slides=slides, message_subject="Party 🎉", fallback_sms_text="A picture for you all:")
    )
    assert [warning.split(":")[0] for warning in told["warnings"]] == [
        "the subject has emoji or other characters that some phones show as boxes", "slide 1", "slide 1",
    ]  # fmt: skip
    assert "shown for 45 s" in told["warnings"][1]
    assert "the PNG is transparent" in told["warnings"][2]


async def test_sounds_and_videos_are_previewed_with_their_lengths(api: Api) -> None:
    url = api.origin.file("/lake.mp4", demo("lake.mp4"))
    slides = f"<slide><duration>5</duration><video><url>{url}</url></video></slide>"
    told = await preview(api, request(slides=slides))
    (file,) = told["files"]
    assert file["seconds"] > 0
    assert any("replaced by the real length of its video" in each for each in told["warnings"])
    assert {each["outcome"] for each in told["renditions"]} == {"mms"}


async def test_what_a_carrier_does_not_take_goes_by_sms_or_not_at_all(api: Api) -> None:
    await api.carrier(limits=Limits(types=frozenset({"text/plain", "image/jpeg"})))
    document = request(slides=medium("pdf", api.origin.file("/flyer.pdf", demo("flyer.pdf"))))
    told = await preview(api, document)
    assert {each["outcome"] for each in told["renditions"]} == {"sms"}
    row = by_carrier(told)["dead/short-code"]
    assert (row["size"], "don't take PDF" in row["reason"]) == (None, True)
    assert "slide 1: not every phone shows a PDF" in told["warnings"]
    off = await preview(api, document.replace("<slide>", "<disable-fallback-sms>1</disable-fallback-sms><slide>"))
    assert {each["outcome"] for each in off["renditions"]} == {"fails"}


async def test_saving_is_previewed(api: Api) -> None:
    told = await preview(api, save())
    assert (told["action"], told["slides"], told["files"]) == ("saveMMS", 2, [])
    assert {each["outcome"] for each in told["renditions"]} == {"mms"}
    off = await preview(api, save(slides=f"<slide><text>{'x' * 5000}</text></slide>", disable_fallback_sms="yes"))
    assert not any("fallback text" in warning for warning in off["warnings"])


async def test_a_saved_message_is_previewed_as_its_recipient_gets_it(api: Api) -> None:
    mms_id = await saved(api)
    plain = await preview(api, send(mms_id))
    more = f"<custom-text><slide>2</slide><value>{'Seat ' * 100}</value></custom-text>"
    personal = await preview(api, send(mms_id, more=more, custom_subject="For you ♥"))
    grown = personal["renditions"][0]["size"] - plain["renditions"][0]["size"]
    assert (plain["action"], grown) == ("sendSavedMMS", 500 - len("Second"))
    assert any("♥" in warning for warning in personal["warnings"])
    broken = await preview(api, send(mms_id, more=f"<data><first_name>{'x' * 6000}</first_name></data>"))
    assert {each["outcome"] for each in broken["renditions"]} == {"fails"}
    assert "Error fetching dynamic content" in broken["renditions"][0]["reason"]


async def test_the_skycore_paths_have_it_too(api: Api) -> None:
    told = await preview(api, skycore(request()), f"{SKYCORE}?dry-run=true")
    assert told["action"] == "sendMMS"
    mms_id = await saved(api)
    before = rows(api)
    query = f"action=sendsavedmms&api_key={KEY}&mmsid={mms_id}&to=12065550100&from=28444&DRY_RUN=Yes"
    assert json.loads((await api.get(f"{SKYCORE}?{query}")).body)["action"] == "sendSavedMMS"
    assert rows(api) == before


async def test_a_key_for_idempotency_is_neither_used_nor_replayed(api: Api) -> None:
    await preview(api, request(), Idempotency_Key="k")
    real = await api.post(request(), Idempotency_Key="k")
    assert dict(elements(real.body))["status"] == "Success"
    again = await api.post(request(), DRY, Idempotency_Key="k")  # rows change: the real one is on its way
    assert json.loads(again.body)["action"] == "sendMMS"


@pytest.mark.parametrize("action", ["deleteMMSID", "getMMSTemplates", "getMmsIds", "loginUser"])
async def test_an_action_without_a_preview_does_nothing(action: str, api: Api) -> None:
    mms_id = await saved(api)
    before = rows(api)
    answered = await api.post(request(action=action, mms_id=mms_id, to=None, slides=""), DRY)
    told = dict(elements(answered.body))
    assert (answered.status, told["error-code"]) == (200, "E100")
    assert answered.headers["x-error-detail"] == f"{action} has nothing to preview; nothing was done"
    assert rows(api) == before
    assert await api.gateway.store.templates.get(int(mms_id), api.account.id) is not None


@pytest.mark.parametrize("query", ["dry-run=on", "dry-run=1&dry-run=maybe", "dryrun=2"])
async def test_a_value_that_is_neither_yes_nor_no_sends_nothing(query: str, api: Api) -> None:
    before = rows(api)
    answered = await api.post(request(), f"/ep/v1/?{query}")
    assert dict(elements(answered.body))["error-code"] == "E100"
    assert answered.headers["x-error-detail"].startswith("dry-run is 1, yes or true")
    assert rows(api) == before


@pytest.mark.parametrize("query", ["", "dry-run=0", "dry-run=no", "dry-run="])
async def test_without_it_the_message_is_sent(query: str, api: Api) -> None:
    assert dict(elements((await api.post(request(), f"/ep/v1/?{query}")).body))["status"] == "Success"


async def test_a_preview_is_refused_as_its_call_would_be(api: Api) -> None:
    """The same document, the same order, the same status."""
    await spoil(api)
    values: dict[str, Any] = {}
    for _, name, wrong, _ in reversed(DOCUMENT):
        values |= {name: wrong} if name else {}
    for code, name, _, right in DOCUMENT:
        document = request(**values)
        tried, real = await api.post(document, DRY), await api.post(document)
        assert dict(elements(real.body))["error-code"] == code
        assert (tried.body, tried.status) == (real.body, real.status)
        assert tried.headers["content-type"] == real.headers["content-type"]
        values |= {name: right} if name else {}
        await repair(api, code)
    await preview(api, request(**values))


async def test_a_template_that_is_not_there_or_not_ready_is_refused(api: Api) -> None:
    for mms_id, code in (("5", "E241"), ("", "E620"), ("x", "E241")):
        assert dict(elements((await api.post(send(mms_id), DRY)).body))["error-code"] == code


async def test_a_preview_counts_as_a_call(api: Api) -> None:
    await api.change(rates=replace(RateLimits(), gap=3600))
    await preview(api, request())
    assert dict(elements((await api.post(request())).body))["error-code"] == "E106"


async def test_a_third_preview_of_an_account_is_refused_while_a_call_is_taken(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on = asyncio.Semaphore(0), asyncio.Event()
    look = api.gateway.cage.look

    async def slow(*given: Any, **named: Any) -> ImageLook | ImageBroken:
        looking.release()
        await go_on.wait()
        return await look(*given, **named)

    monkeypatch.setattr(api.gateway.cage, "look", slow)
    document = request(slides=medium("image", api.origin.file("/small.jpg", demo("small.jpg"))))
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(api.post(document, DRY)) for _ in range(2)]
        for _ in waiting:
            await looking.acquire()
        refused, real = await api.post(document, DRY), await api.post(document)
        go_on.set()
    assert dict(elements(refused.body))["error-code"] == "E113"
    assert refused.headers["x-error-detail"].startswith("2 previews of the account are under way")
    assert dict(elements(real.body))["status"] == "Success"
    made = [*(task.result() for task in waiting), await api.post(document, DRY)]
    assert [json.loads(each.body)["action"] for each in made] == ["sendMMS"] * 3
