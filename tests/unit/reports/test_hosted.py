"""A part as a file: the bytes decide, the sender's words are only noted."""

import pytest

from mmsgate.mm7.parts import ContentPart
from mmsgate.reports.hosted import draft, drafts

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"


def part(content_type: str, body: bytes, *, charset: str = "", name: str = "") -> ContentPart:
    return ContentPart(content_type=content_type, body=body, charset=charset, name=name)


@pytest.mark.parametrize(
    ("given", "name", "mime", "attach", "note"),
    [
        (part("image/jpeg", JPEG), "1.jpg", "image/jpeg", False, ""),
        (part("image/jpg", JPEG), "1.jpg", "image/jpeg", False, ""),
        (part("", JPEG), "1.jpg", "image/jpeg", False, ""),
        (part("application/octet-stream", JPEG), "1.jpg", "image/jpeg", False, ""),
        (part("text/plain", JPEG), "1.jpg", "image/jpeg", False, "it was declared as text/plain"),
        (part("image/png", JPEG), "1.jpg", "image/jpeg", False, "it was declared as image/png"),
        (part("text/plain", b"Hi"), "1.txt", "text/plain; charset=utf-8", False, ""),
        (part("", b"Hi"), "1.txt", "text/plain; charset=utf-8", False, ""),
        (part("text/plain", b""), "1.txt", "text/plain; charset=utf-8", False, ""),
        (
            part("text/plain", b"<html><b>Hi"), "1.txt", "text/plain; charset=utf-8", True, "it reads like HTML",
        ),
        (part("application/pdf", b"%PDF-1.7"), "1.pdf", "application/pdf", True, ""),
        (part("text/x-vcard", b"BEGIN:VCARD\r\n"), "1.vcf", "text/vcard", True, ""),
        (part("text/html", b"<html>"), "1.html", "text/html", True, "it is HTML, only to be saved"),
        (
            part("image/png", b"<html>"), "1.html", "text/html", True,
            "it is HTML, only to be saved; it was declared as image/png",
        ),
        (
            part("image/png", b"\x01\x02\x03"), "1.bin", "application/octet-stream", True,
            "its bytes are of no known type; it was declared as image/png",
        ),
        (
            part("text/plain", b"\x01\x02\x03"), "1.bin", "application/octet-stream", True,
            "its bytes are of no known type; it was declared as text/plain",
        ),
        (part("", b"\x01\x02\x03"), "1.bin", "application/octet-stream", True, "its bytes are of no known type"),
        (part("text/javascript", b"alert(1)"), "1.txt", "text/plain; charset=utf-8", False, ""),
    ],
)  # fmt: skip
def test_what_a_part_is_offered_as(given: ContentPart, name: str, mime: str, *, attach: bool, note: str) -> None:
    made = draft(given, 1)
    assert (f"{made.number}.{made.extension}", made.mime, made.attach) == (name, mime, attach)
    assert made.note == note


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("utf-8", "Grüße ✓".encode(), "Grüße ✓"),
        ("", "Grüße".encode(), "Grüße"),
        ("", b"\xef\xbb\xbfGr\xfc", "ï»¿Grü"),
        ("iso-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ("utf-8", b"Gr\xfc\xdfe", "Grüße"),
        ("utf-16le", "Grüße".encode("utf-16-le"), "Grüße"),
        ("", "Grüße".encode("utf-16"), "Grüße"),
        ("shift_jis", "日本".encode("shift_jis"), "日本"),
        ("rot13", b"Hello", "Hello"),
        ("unicode_escape", b"a\\x41", "a\\x41"),
        ("no-such", b"Hello", "Hello"),
    ],
)
def test_texts_become_utf_8(charset: str, body: bytes, text: str) -> None:
    made = draft(part("text/plain", body, charset=charset), 1)
    assert (made.extension, made.text, made.data) == ("txt", text, text.encode())


def test_the_smil_is_no_file_whatever_it_is_called() -> None:
    found = drafts([
        part("application/smil", b"<smil/>"), part("application/smil+xml", b""),
        part("text/xml", b"\r\n<SMIL>x</SMIL>"), part("image/jpeg", JPEG), part("text/plain", b"Hi"),
    ])  # fmt: skip
    assert [(made.number, made.extension) for made in found] == [(1, "jpg"), (2, "txt")]


def test_names_of_the_sender_are_noted_and_cut() -> None:
    made = draft(part("image/jpeg", JPEG, name="../../x" + "y" * 500), 3)
    assert made.declared.startswith("image/jpeg ../../xyyy")
    assert len(made.declared) == 200
    assert (made.number, made.extension) == (3, "jpg")
