"""What a phone makes of foreign bytes."""

import itertools

import pytest

from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from mmsgate.simulator.message import Message, Part, decode
from mmsgate.simulator.reader import SEQUENCE, read_message, sequence_fault
from tests.unit.simulator.submits import PICTURE, PNG, WORDS, Post, golden, mixed, mmsbox, part


def read(post: Post) -> Message:
    submit = read_request(post.content_type, post.body)
    assert isinstance(submit, SubmitReqReceived)
    return read_message(submit, to="15550001111", message_id="a1", received_at=0)


def shown(message: Message) -> list[list[str]]:
    return [[message.parts[index].name for index in slide.parts] for slide in message.slides]


def test_the_golden_message() -> None:
    message = read(golden())
    assert (message.sender, message.subject, message.text, message.transaction_id) == ("28444", "Hello", "Hi", "42")
    assert shown(message) == [["s1.jpg", "s1.txt"]]
    assert message.slides[0].duration == 10_000
    assert message.parts[1].body == PICTURE[2]
    assert message.attachments == ()
    assert ("SenderAddress", "ShortCode 28444") in message.fields


def test_a_foreign_client_with_base64_and_unquoted_parameters() -> None:
    message = read(mmsbox())
    assert (message.sender, message.subject, message.text) == ("111", "R&B über alles", "Grüße")
    assert [part.body for part in message.parts if part.type == "image/png"] == [PNG]
    assert shown(message) == [["pic.png", "txt.1"]]
    assert message.slides[0].duration == 5000


def test_without_smil_everything_shows_in_order_and_objects_are_attached() -> None:
    message = read(mixed())
    assert shown(message) == [["part1", "b.gif"]]
    assert (message.slides[0].duration, message.smil) == (0, None)
    assert [message.parts[index].name for index in message.attachments] == ["me.vcf"]


def test_slides_follow_the_smil_not_the_parts() -> None:
    text, image = '<text src="cid:s1.txt"/>', '<img src="s1.jpg"/>'
    smil = f'<smil><body><par dur="3s">{text}</par><par dur="2000ms">{image}</par></body></smil>'
    message = read(golden(smil=smil))
    assert shown(message) == [["s1.txt"], ["s1.jpg"]]
    assert [slide.duration for slide in message.slides] == [3000, 2000]


def test_what_the_smil_names_and_nobody_bears_is_told() -> None:
    message = read(golden(smil='<smil><body><par><img src="gone.jpg"/><text src="s1.txt"/></par></body></smil>'))
    assert message.slides[0].missing == ("gone.jpg",)
    assert [message.parts[index].name for index in message.attachments] == ["s1.jpg"]


def test_an_empty_par_is_an_empty_slide() -> None:
    message = read(golden(smil='<smil><body><par dur="1s"/><par><img src="s1.jpg"/></par></body></smil>'))
    assert shown(message) == [[], ["s1.jpg"]]


@pytest.mark.parametrize("smil", ["<smil", "<html/>", "<smil><body/></smil>"])
def test_broken_or_empty_smil_shows_the_parts_in_order(smil: str) -> None:
    message = read(golden(smil=smil))
    assert shown(message) == [["s1.jpg", "s1.txt"]]
    assert message.smil == smil


def test_two_equal_parts_stay_two() -> None:
    twin = part("same.jpg", "image/jpeg", b"x")
    message = read(golden(smil=None, parts=[twin, twin, WORDS]))
    assert message.slides[0].parts == (0, 1, 2)


def test_only_objects_make_no_slide() -> None:
    message = read(golden(smil=None, parts=[part("a.pdf", "application/pdf", b"%PDF")]))
    assert (message.slides, message.attachments) == ((), (0,))


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"\xfc", "ü"),
        ('text/plain; charset="UTF-16"', "hé".encode("utf-16"), "hé"),
        ("text/plain; charset=nonsense", "ü".encode(), "ü"),
        ("text/plain", b"\xff", "�"),
    ],
)
def test_text_is_decoded_and_never_fatal(content_type: str, body: bytes, text: str) -> None:
    assert decode(body, content_type) == text


def test_types_of_parts() -> None:
    assert Part(name="a", content_type="IMAGE/heic", body=b"").playable
    assert not Part(name="a", content_type="application/zip", body=b"").playable
    assert Part(name="a", content_type="text/html", body=b"").text is None


def test_the_schema_order_itself_is_no_fault() -> None:
    assert sequence_fault(SEQUENCE) is None


def test_any_two_elements_the_wrong_way_round_are_a_fault() -> None:
    for first, second in itertools.combinations(SEQUENCE, 2):
        assert sequence_fault((second, first)) is not None
