"""SMIL: written as the golden message has it, read from anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.media import MediaKind
from mmsgate.mm7.smil import MAX_PARS, MAX_REFERENCES, MAX_SMIL, Par, Reference, read_smil, reference, write_smil


def par(*sources: str, duration: int = 10_000) -> Par:
    return Par(duration=duration, references=tuple(Reference(tag="ref", src=src) for src in sources))


def test_what_was_written_is_read_back() -> None:
    pars = (
        Par(
            duration=3000,
            references=(reference(MediaKind.VIDEO, "s1.mp4"), reference(MediaKind.TEXT, "cid:s1.txt")),
        ),
        Par(duration=60_000, references=(reference(MediaKind.AUDIO, 'a&"<>.mp3'),)),
    )
    assert read_smil(write_smil(pars)) == pars


def test_sound_has_no_region_and_film_has_the_picture_s() -> None:
    written = write_smil(
        [Par(duration=1000, references=(reference(MediaKind.AUDIO, "a"), reference(MediaKind.VIDEO, "v")))]
    )
    assert b'<audio src="a"/><video src="v" region="Image"/>' in written


def test_a_show_without_slides_is_still_a_document() -> None:
    written = write_smil([])
    assert b"<body></body>" in written
    assert read_smil(written) == ()


@pytest.mark.parametrize(
    ("dur", "milliseconds"),
    [
        ("10000ms", 10_000),
        ("5s", 5000),
        ("2.5s", 2500),
        ("7", 7000),
        ("1min", 60_000),
        ("00:05", 5000),
        ("0:01:02.5", 62_500),
        ("99999h", 3_600_000),
        ("indefinite", 10_000),
        ("-5s", 10_000),
        ("٥s", 10_000),
        ("", 10_000),
    ],
)
def test_durations_in_every_notation(dur: str, milliseconds: int) -> None:
    document = f'<smil><body><par dur="{dur}"><ref src="a"/></par></body></smil>'.encode()
    assert read_smil(document) == (par("a", duration=milliseconds),)


@pytest.mark.parametrize(
    ("document", "pars"),
    [
        (b'<smil xmlns="urn:x"><body><par><ref src="a"/></par></body></smil>', (par("a"),)),
        (b'<x:smil xmlns:x="urn:x"><x:body><x:par><x:ref x:src="a"/></x:par></x:body></x:smil>', (par("a"),)),
        (b'<smil><body><ref src="a"/><ref src="b"/></body></smil>', (par("a"), par("b"))),
        (
            b'<smil><body><seq><par><ref src="a"/><par><ref src="b"/></par></par></seq></body></smil>',
            (par("a", "b"),),
        ),
        (b'<smil><body><par><a href="x"><ref src="a"/></a><ref/></par><par/></body></smil>', (par("a"), par())),
        (
            (
                b'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0//EN" "x.dtd">'
                b'<smil><body><par><ref src="../../x"/></par></body></smil>'
            ),
            (par("../../x"),),
        ),
        ('<smil><body><par><ref src="ü"/></par></body></smil>'.encode("utf-16"), (par("ü"),)),
    ],
)
def test_foreign_smil(document: bytes, pars: tuple[Par, ...]) -> None:
    assert read_smil(document) == pars


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\0\0\0",
        b"<html/>",
        b"<smil><body>",
        b'<!DOCTYPE smil [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><smil>&b;</smil>',
        b'<!DOCTYPE smil SYSTEM "x" [<!ENTITY a SYSTEM "file:///etc/passwd">]><smil>&a;</smil>',
        b"<smil>" + b" " * MAX_SMIL + b"</smil>",
        b"<smil>" + b"<par>" * 300 + b"</par>" * 300 + b"</smil>",
        b"<smil>" + b"<par/>" * (MAX_PARS + 1) + b"</smil>",
        b"<smil><par>" + b'<ref src="a"/>' * (MAX_REFERENCES + 1) + b"</par></smil>",
    ],
    ids=lambda document: f"{document[:20]!r}",
)
def test_what_is_no_smil_or_too_much_of_it(document: bytes) -> None:
    assert read_smil(document) is None


@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: f"<smil>{text}</smil>".encode()))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    found = read_smil(data)
    assert found is None or all(par.duration >= 0 for par in found)
