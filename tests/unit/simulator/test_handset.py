"""The same message on a usual phone, on one that ignores SMIL and on one as strict as Android."""

import pytest

from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from mmsgate.simulator.behaviour import behaviour_of
from mmsgate.simulator.handset import ANDROID, HANDSETS, PLAIN, USUAL, Handset, look
from mmsgate.simulator.message import Kind, Message
from mmsgate.simulator.reader import read_message
from tests.unit.simulator.submits import PICTURE, WORDS, Post, golden, mixed, mmsbox, part

SOUND = part("s1.mp3", "audio/mpeg", b"ID3")
FILM = part("s1.mp4", "video/mp4", b"ftyp")
OTHER_PICTURE = part("s2.jpg", "image/jpeg", b"\xff\xd8 other")
CARD = part("me.vcf", "text/x-vCard", b"BEGIN:VCARD")
DATE = part("a.ics", "text/calendar", b"BEGIN:VCALENDAR")


def seen(post: Post, handset: Handset = ANDROID) -> Message:
    submit = read_request(post.content_type, post.body)
    assert isinstance(submit, SubmitReqReceived)
    return look(read_message(submit, to="15550001111", message_id="a1", received_at=0), handset)


def slides(message: Message) -> list[list[str]]:
    return [[message.parts[index].name for index in slide.parts] for slide in message.slides]


def attached(message: Message) -> list[str]:
    return [message.parts[index].name for index in message.attachments]


def par(*elements: str) -> str:
    return f"<smil><body><par dur='3s'>{''.join(elements)}</par></body></smil>"


@pytest.mark.parametrize("handset", HANDSETS.values(), ids=HANDSETS)
def test_the_golden_message_is_the_same_on_each(handset: Handset) -> None:
    message = seen(golden(), handset)
    assert (slides(message), message.text, message.hidden) == ([["s1.jpg", "s1.txt"]], "Hi", ())


def test_a_usual_phone_sees_what_was_read_when_it_came() -> None:
    post = golden(smil=par('<img src="gone.jpg"/>', '<text src="cid:s1.txt"/>'), parts=[PICTURE, WORDS, CARD])
    submit = read_request(post.content_type, post.body)
    assert isinstance(submit, SubmitReqReceived)
    message = read_message(submit, to="15550001111", message_id="a1", received_at=0)
    assert look(message, USUAL) == message
    assert message.slides[0].missing == ("gone.jpg",)


def test_one_that_ignores_smil_shows_everything_in_the_order_it_came() -> None:
    smil = par('<text src="s1.txt"/>').replace("</body>", "<par><img src='s1.jpg'/></par></body>")
    message = seen(golden(smil=smil, parts=[PICTURE, WORDS, OTHER_PICTURE, CARD]), PLAIN)
    assert (slides(message), attached(message)) == ([["s1.jpg", "s1.txt", "s2.jpg"]], ["me.vcf"])
    assert (message.slides[0].duration, message.hidden) == (0, ())


def test_android_takes_a_cid_for_content_ids_alone_and_another_reference_for_none() -> None:
    message = seen(mmsbox())
    assert (slides(message), message.hidden[:1]) == (
        [["pic.png", "txt.1"]],
        ("txt.1: characters that are not UTF-8",),
    )
    plain = mmsbox()
    without = Post(content_type=plain.content_type, body=plain.body.replace(b"cid:pic.1", b"pic.1"))
    message = seen(without)
    assert slides(message) == [["txt.1"]]
    assert message.hidden[:2] == (
        "pic.1: no name or Content-Location matches",
        "pic.png: the SMIL does not refer to it",
    )
    assert slides(seen(without, USUAL)) == [["pic.png", "txt.1"]]


def test_android_finds_no_location_by_cid() -> None:
    post = golden(smil=par('<img src="cid:s1.jpg"/>'), parts=[PICTURE])
    nameless = Post(content_type=post.content_type, body=post.body.replace(b"Content-ID: <s1.jpg>\r\n", b""))
    assert seen(post).hidden == ()
    assert seen(nameless).hidden == (
        "cid:s1.jpg: no Content-ID matches",
        "s1.jpg: the SMIL does not refer to it",
    )


def test_of_equal_names_android_takes_the_last() -> None:
    message = seen(golden(smil=par('<img src="s1.jpg"/>'), parts=[PICTURE, part("s1.jpg", "image/jpeg", b"last")]))
    assert [message.parts[index].body for index in message.slides[0].parts] == [b"last"]
    assert message.hidden == ("s1.jpg: the SMIL does not refer to it",)


@pytest.mark.parametrize(
    ("names", "shows", "hidden"),
    [
        (["s1.jpg", "s2.jpg"], ["s2.jpg"], "s1.jpg: a slide has one image, and another came after it"),
        (["s1.jpg", "s1.mp4"], ["s1.jpg"], "s1.mp4: a slide can't have video beside its other media"),
        (["s1.mp4", "s1.mp3"], ["s1.mp4"], "s1.mp3: a slide can't have audio beside its other media"),
        (["s1.jpg", "s1.mp3", "s1.txt"], ["s1.jpg", "s1.mp3", "s1.txt"], None),
        (["s1.mp4", "s1.txt", "s1.txt"], ["s1.mp4", "s1.txt"], None),
    ],
)
def test_an_android_slide_has_one_of_a_kind(names: list[str], shows: list[str], hidden: str | None) -> None:
    media = [one for one in (PICTURE, OTHER_PICTURE, SOUND, FILM, WORDS) if one[0] in names]
    message = seen(golden(smil=par(*(f'<ref src="{name}"/>' for name in names)), parts=media))
    assert slides(message) == [shows]
    assert message.hidden == ((hidden,) if hidden else ())


@pytest.mark.parametrize(
    ("element", "told"),
    [
        ('<img src="s1.mp4"/>', "s1.mp4: video/mp4 can't be shown by the element img"),
        ('<ref src="a.ics"/>', "a.ics: text/calendar can't be shown by the element ref"),
        ('<animation src="s1.mp4"/>', "s1.mp4: video/mp4 can't be shown by the element animation"),
    ],
)
def test_android_shows_nothing_by_the_wrong_element(element: str, told: str) -> None:
    wanted = [one for one in (FILM, DATE) if one[0] in element]
    message = seen(golden(smil=par(element), parts=wanted))
    assert (slides(message), message.hidden) == ([[]], (told,))


def test_android_attaches_vcards_and_drops_types_that_it_does_not_know() -> None:
    message = seen(golden(parts=[PICTURE, WORDS, CARD, DATE]))
    assert (attached(message), message.hidden) == (["me.vcf"], ("a.ics: text/calendar is no type that it shows",))
    assert attached(seen(golden(parts=[PICTURE, WORDS, CARD, DATE]), USUAL)) == ["me.vcf", "a.ics"]


def test_android_reads_every_text_as_utf_8() -> None:
    latin = part("s1.txt", "text/plain; charset=iso-8859-1", b"Gr\xfc\xdfe")
    message = seen(golden(parts=[PICTURE, latin]))
    assert (message.text, message.hidden) == ("Gr��e", ("s1.txt: characters that are not UTF-8",))
    assert seen(golden(parts=[PICTURE, latin]), PLAIN).text == "Grüße"


@pytest.mark.parametrize("smil", [None, "<smil"])
def test_without_smil_android_makes_slides_of_a_text_and_a_medium(smil: str | None) -> None:
    message = seen(golden(smil=smil, parts=[WORDS, PICTURE, OTHER_PICTURE, CARD]))
    assert (slides(message), attached(message)) == ([["s1.txt", "s1.jpg"], ["s2.jpg"]], ["me.vcf"])
    assert slides(seen(mixed())) == [["part1", "b.gif"]]


def test_an_empty_smil_is_an_empty_show_on_android() -> None:
    message = seen(golden(smil="<smil><body/></smil>"))
    assert slides(message) == []
    assert message.hidden == ("s1.jpg: the SMIL does not refer to it", "s1.txt: the SMIL does not refer to it")


def test_an_sms_is_the_same_on_each() -> None:
    sms = Message(kind=Kind.SMS, to="1", sender="2", text="hi", received_at=0)
    assert all(look(sms, handset) is sms for handset in HANDSETS.values())


@pytest.mark.parametrize(("digits", "handset"), [("0140", PLAIN), ("0141", ANDROID), ("1613", USUAL)])
def test_a_recipients_row_says_what_phone_it_is(digits: str, handset: Handset) -> None:
    assert behaviour_of(f"1239947{digits}").handset is handset
