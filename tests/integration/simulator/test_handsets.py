"""What the gateway writes, looked at through each kind of phone, over sockets."""

import json
from dataclasses import replace

import pytest

from mmsgate.domain.slide import Slide
from mmsgate.mm7.dialect import Encoding, PartIds, SmilRefs
from mmsgate.mm7.submit import encode_submit
from mmsgate.simulator.handset import HANDSETS
from tests.integration.simulator.peer import request, submit
from tests.unit.mm7.samples import BLOBS, CARD, DIALECT, FILM, IMAGE, REQUEST, SOUND, encoded
from tests.unit.simulator.submits import Post, golden

EVERYTHING = (
    Slide(text="Grüße 👋", media=(IMAGE,)),
    Slide(text="Listen", media=(SOUND,)),
    Slide(media=(FILM,)),
    Slide(media=(CARD,)),
    Slide(text="Both", media=(IMAGE, SOUND)),
)
DIALECTS = {
    "location": DIALECT,
    "cid": replace(DIALECT, smil_refs=SmilRefs.CID),
    "cid of a domain": replace(DIALECT, smil_refs=SmilRefs.CID, part_ids=PartIds.DOMAIN, content_location=False),
    "location without names": replace(DIALECT, part_names=False),
    "base64": replace(DIALECT, encoding=Encoding.BASE64),
}
BROKEN = '<smil><body><par><img src="s1.jpg"/><text src="words.txt"/></par></body></smil>'


async def looked_at(port: int, query: str) -> dict[str, object]:
    response = await request(port, f"/sim/messages?{query}")
    assert response.status == 200
    (entry,) = json.loads(response.body)
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("handset", HANDSETS)
async def test_what_the_gateway_writes_shows_completely_on_each_phone(port: int, name: str, handset: str) -> None:
    message = encode_submit(REQUEST, encoded(EVERYTHING, DIALECTS[name]), dialect=DIALECTS[name])
    post = Post(content_type=message.headers["Content-Type"], body=b"".join(message.buffers))
    assert (await submit(port, post)).status == 200
    entry = await looked_at(port, f"as={handset}")
    slides, attachments = entry["slides"], entry["attachments"]
    assert isinstance(slides, list)
    assert isinstance(attachments, list)
    shown = [part["type"] for slide in slides for part in slide["parts"]]
    assert shown == [
        *("image/jpeg", "text/plain", "audio/mpeg", "text/plain", "video/mp4"),
        *("image/jpeg", "audio/mpeg", "text/plain"),
    ]
    assert [part["size"] for part in attachments] == [len(BLOBS["vcf"])]
    assert entry["text"] == "Grüße 👋\n\nListen\n\nBoth"
    assert (entry["not_shown"], [slide["missing"] for slide in slides]) == ([], [[]] * len(slides))


@pytest.mark.parametrize(
    ("number", "query", "hidden"),
    [
        ("12399470141", "", True),
        ("12399470141", "as=usual", False),
        ("12399471613", "", False),
        ("12399471613", "as=android", True),
        ("12399470140", "", False),
    ],
)
async def test_what_a_strict_phone_does_not_show_is_told_in_json_and_on_the_page(
    port: int, number: str, query: str, hidden: bool
) -> None:
    await submit(port, golden(number, smil=BROKEN))
    told = ["words.txt: no name or Content-Location matches", "s1.txt: the SMIL does not refer to it"]
    assert (await looked_at(port, query))["not_shown"] == (told if hidden else [])
    for path in (f"/sim/phones/{number}?{query}", f"/sim/phones/{number}/messages/1?{query}"):
        page = (await request(port, path)).body.decode()
        assert [line in page for line in ["Not shown:", *told]] == [hidden] * 3


async def test_the_page_offers_each_phone(port: int) -> None:
    await submit(port, golden())
    page = (await request(port, "/sim/phones/12399471613?as=plain")).body.decode()
    assert [f'href="/sim/phones/12399471613?as={name}"' in page for name in HANDSETS] == [True] * 3
    assert "This phone ignores SMIL" in page


@pytest.mark.parametrize("path", ["/sim/phones/1", "/sim/messages", "/sim/phones/12399471613/messages/1"])
async def test_another_phone_is_told_which_there_are(port: int, path: str) -> None:
    await submit(port, golden())
    response = await request(port, f"{path}?as=nokia")
    assert response.status == 400
    assert b"as must be one of usual, plain, android" in response.body
