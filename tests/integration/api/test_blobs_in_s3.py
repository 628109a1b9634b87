"""A gateway whose media are in S3: pages give them out, and a server that stops makes no false Success."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.domain.message import Message
from mmsgate.domain.state import State
from tests.integration.api.conftest import KEY, Api, demo, elements, medium, request, running
from tests.s3.server import Relay, S3Server


@pytest.fixture
async def relay(s3_server: S3Server) -> AsyncIterator[Relay]:
    opened = Relay(s3_server.port)
    await opened.open()
    yield opened
    await opened.cut()


@pytest.fixture
async def api(tmp_path: Path, s3_server: S3Server, relay: Relay) -> AsyncIterator[Api]:
    settings = {
        "blobs_url": f"s3://{s3_server.bucket()}/mms", "s3_endpoint": relay.url, "s3_region": "us-east-1",
        "s3_access_key": "id", "s3_secret_key": "s3cret", "memory_cache_bytes": 0,
    }  # fmt: skip
    async with running(tmp_path, **settings) as made:
        yield made


async def sent(api: Api, path: str, data: bytes) -> dict[str, str]:
    return dict(elements((await api.post(request(slides=medium("image", api.origin.file(path, data))))).body))


async def photo_of(api: Api, told: dict[str, str]) -> tuple[Message, str]:
    """The message of an answer, and the path of the picture on its page."""
    message = await api.gateway.store.messages.by_tracking(told["tracking-id"])
    assert message is not None
    return message, f"/m/{message.fallback.token}/photo-1.jpg"


def lose_copies(api: Api) -> None:
    for folder in (api.gateway.settings.blobs / "copies").glob("??"):
        shutil.rmtree(folder)


async def test_a_page_gives_out_a_range_of_what_is_only_in_s3(api: Api, photo: bytes) -> None:
    _, path = await photo_of(api, await sent(api, "/photo.jpg", photo))
    lose_copies(api)
    part = await api.get(path, Range="bytes=100-199")
    assert (part.status, part.body) == (206, photo[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(photo)}"
    assert (await api.get(path)).body == photo


async def test_a_page_says_later_while_s3_is_stopped_and_shows_the_file_once_it_is_back(
    api: Api, relay: Relay, photo: bytes
) -> None:
    _, path = await photo_of(api, await sent(api, "/photo.jpg", photo))
    lose_copies(api)
    await relay.cut()
    assert (await api.get(path)).status == 503
    await relay.open()
    assert (await api.get(path)).body == photo


async def test_while_s3_is_stopped_a_request_is_e503_and_afterwards_it_is_accepted(
    api: Api, relay: Relay, photo: bytes
) -> None:
    await relay.cut()
    assert (await sent(api, "/photo.jpg", photo))["error-code"] == "E503"
    assert await api.gateway.store.messages.counts() == {}
    await relay.open()
    told = await sent(api, "/photo.jpg", photo)
    assert told["status"] == "Success"
    message, _ = await photo_of(api, told)
    content = await api.gateway.store.messages.content(message.mms_id)
    assert content is not None
    lose_copies(api)
    assert await api.gateway.blobs.read(content.slides[0].media[0].blob) == photo


async def test_a_message_whose_picture_cannot_be_had_waits_for_its_next_try(
    api: Api, relay: Relay, photo: bytes
) -> None:
    message, _ = await photo_of(api, await sent(api, "/photo.jpg", photo))
    await relay.cut()
    lose_copies(api)
    while "BlobFault" not in " ".join(await told_of(api, message)):
        await asyncio.sleep(0.01)  # the carrier is a dead port: it is tried every few seconds
    found = await api.gateway.store.messages.by_tracking(message.tracking_id)
    assert found is not None
    assert found.state is State.ACCEPTED


async def told_of(api: Api, message: Message) -> list[str]:
    return [event.reason for event in await api.gateway.store.messages.timeline(message.id)]


async def test_while_s3_is_stopped_an_upload_is_e503(api: Api, relay: Relay) -> None:
    await relay.cut()
    refused = await api.post(demo("small.jpg"), "/media", X_Api_Key=KEY)
    assert (refused.status, json.loads(refused.body)["error-code"]) == (503, "E503")
    await relay.open()
    assert (await api.post(demo("small.jpg"), "/media", X_Api_Key=KEY)).status == 201
