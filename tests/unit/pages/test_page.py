"""What a page shows, and how each of its files is offered."""

import pytest

from mmsgate.clock import DAY
from mmsgate.domain.media import TYPES, MediaKind
from mmsgate.domain.slide import Medium, Slide
from mmsgate.pages.page import File, Page, Playback, is_token

TOKEN = "aB3" * 8
MIMES = [entry.mime for entry in TYPES if entry.kind is not MediaKind.TEXT]
KIND_OF = {entry.mime: entry.kind for entry in TYPES}


def medium(mime: str, *, blob: str = "ab" * 32) -> Medium:
    return Medium(kind=KIND_OF.get(mime, MediaKind.IMAGE), blob=blob, mime=mime, size=1234)


def page(*slides: Slide) -> Page:
    return Page(token=TOKEN, account_id=7, subject="Hello", slides=slides, created_at=0, expires_at=DAY)


def only_file(mime: str) -> File:
    (file,) = page(Slide(media=(medium(mime),))).panels[0].files
    return file


@pytest.mark.parametrize("text", ["a" * 22, "Z9" * 32, "0" * 64])
def test_tokens_are_22_to_64_letters_and_digits(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 21,
        "a" * 65,
        "a" * 21 + "-",
        "a" * 21 + "\n",
        "a" * 22 + "\n",
        "ä" * 22,
        "٣" * 22,
        "a" * 22 + "\0",
        "../" * 9,
    ],
)
def test_anything_else_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_a_page_shows_nothing_from_the_moment_of_its_expiry() -> None:
    assert not page().expired(DAY - 1)
    assert page().expired(DAY)


def test_the_token_never_shows_in_a_repr() -> None:
    assert TOKEN not in repr(page())


def test_files_are_named_by_kind_and_number_over_the_whole_page() -> None:
    shown = page(
        Slide(media=(medium("image/jpeg"), medium("audio/mpeg"))),
        Slide(media=(medium("image/png"),)),
        Slide(media=(medium("text/x-vCard"),)),
        Slide(media=(medium("application/vnd.apple.pkpass"),)),
    )
    names = [[file.name for file in panel.files] for panel in shown.panels]
    assert names == [["photo-1.jpg", "audio-1.mp3"], ["photo-2.png"], ["contact-1.vcf"], ["pass-1.pkpass"]]


def test_names_are_unique_even_where_a_slide_holds_two_files_of_a_kind() -> None:
    (panel,) = page(Slide(media=(medium("image/jpeg"), medium("image/jpeg", blob="cd" * 32)))).panels
    assert [file.name for file in panel.files] == ["photo-1.jpg", "photo-2.jpg"]


@pytest.mark.parametrize("mime", MIMES)
def test_every_file_name_is_plain_and_ends_as_its_type_does(mime: str) -> None:
    name = only_file(mime).name
    assert name.isascii()
    assert name.replace("-", "").replace(".", "").isalnum()
    assert name.endswith("." + next(entry.extension for entry in TYPES if entry.mime == mime))


@pytest.mark.parametrize(
    "name", ["photo-1.png", "photo-2.jpg", "photo-0.jpg", "photo-01.jpg", "PHOTO-1.jpg", "photo-1.jpg ", "", ".."]
)
def test_a_file_is_found_by_its_exact_name_only(name: str) -> None:
    shown = page(Slide(media=(medium("image/jpeg"),)))
    assert shown.file("photo-1.jpg") is not None
    assert shown.file(name) is None


@pytest.mark.parametrize(
    "mime",
    ["image/jpeg", "image/gif", "image/png", "image/webp", "audio/mpeg", "audio/mp4", "audio/wav", "video/mp4"],
)
def test_what_every_browser_shows_plays_in_the_page(mime: str) -> None:
    file = only_file(mime)
    panel = page(Slide(media=(medium(mime),))).panels[0]
    assert file.playback is Playback.PLAYS
    assert panel.file(file.kind) == file
    assert panel.offers == ()
    assert panel.saves == (file,)


@pytest.mark.parametrize("mime", ["image/avif", "audio/amr", "video/3gpp", "video/quicktime", "video/mpeg"])
def test_what_some_browsers_play_is_tried_and_offered(mime: str) -> None:
    panel = page(Slide(media=(medium(mime),))).panels[0]
    assert panel.file(KIND_OF[mime]) is not None
    assert panel.offers == panel.files
    assert panel.saves == ()


@pytest.mark.parametrize(
    ("mime", "noun"), [("image/heic", "picture"), ("video/x-msvideo", "video"), ("video/x-ms-wmv", "video")]
)
def test_what_no_browser_plays_is_only_offered(mime: str, noun: str) -> None:
    panel = page(Slide(media=(medium(mime),))).panels[0]
    assert panel.file(KIND_OF[mime]) is None
    assert [file.action for file in panel.offers] == [f"Download {noun}"]


@pytest.mark.parametrize(
    ("mime", "web", "action"),
    [
        ("text/x-vCard", "text/vcard", "Add to contacts"),
        ("text/calendar", "text/calendar", "Add to calendar"),
        ("application/pdf", "application/pdf", "Open document"),
        ("application/vnd.apple.pkpass", "application/vnd.apple.pkpass", "Add to wallet"),
    ],
)
def test_objects_are_handed_to_the_phone_under_the_type_it_opens(mime: str, web: str, action: str) -> None:
    panel = page(Slide(media=(medium(mime),))).panels[0]
    (file,) = panel.files
    assert (file.mime, file.action) == (web, action)
    assert panel.offers == panel.saves == (file,)


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/html; charset=utf-8"]
)
def test_a_type_that_is_none_of_ours_is_never_shown(mime: str) -> None:
    file = only_file(mime)
    assert (file.mime, file.name, file.playback) == ("application/octet-stream", "photo-1.bin", Playback.SAVED)


def test_the_validator_is_the_contents_own() -> None:
    one, other = (
        page(Slide(media=(medium("image/jpeg", blob=blob),))).panels[0].files[0].etag
        for blob in ("ab" * 32, "cd" * 32)
    )
    assert one != other
    assert one == '"' + "ab" * 16 + '"'
