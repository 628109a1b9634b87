"""Parts over HTTP: types that cannot run script, ranges, tags."""

import pytest
from starlette.requests import Request

from mmsgate.simulator.files import part_response, served_type
from mmsgate.simulator.message import Part

VIDEO = Part(name="s1.mp4", content_type="video/mp4", body=bytes(range(100)))


def asked(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": pairs})


@pytest.mark.parametrize(
    ("content_type", "served"),
    [
        ("image/jpeg", "image/jpeg"),
        ("video/3gpp", "video/3gpp"),
        ("audio/amr", "audio/amr"),
        ("text/plain; charset=iso-8859-1", "text/plain; charset=iso8859-1"),
        ("text/plain; charset=x\r\ny", "text/plain; charset=utf-8"),
        ("text/x-vCard", "text/x-vcard"),
        ("application/pdf", "application/pdf"),
        ("application/vnd.apple.pkpass", "application/vnd.apple.pkpass"),
        ("image/svg+xml", "text/plain; charset=utf-8"),
        ("text/html", "text/plain; charset=utf-8"),
        ("application/xhtml+xml", "text/plain; charset=utf-8"),
        ("application/smil", "text/plain; charset=utf-8"),
        ("text/javascript", "text/plain; charset=utf-8"),
        ("video/svg+xml", "text/plain; charset=utf-8"),
        ("application/x-anything", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types_that_could_run_script_are_text(content_type: str, served: str) -> None:
    part = Part(name="a", content_type=content_type, body=b"")
    assert served_type(part) == served


@pytest.mark.parametrize(
    ("part", "disposition"),
    [
        (VIDEO, "inline; filename=\"s1.mp4\"; filename*=UTF-8''s1.mp4"),
        (
            Part(name='..\\../é"\r\n.svg', content_type="image/svg+xml", body=b""),
            "attachment; filename=\"_.svg\"; filename*=UTF-8''%C3%A9%22%0D%0A.svg",
        ),
        (
            Part(name="", content_type="text/html", body=b""),
            "attachment; filename=\"part\"; filename*=UTF-8''part",
        ),
    ],
)
def test_names_are_suggestions_without_a_path(part: Part, disposition: str) -> None:
    assert part_response(asked(), part).headers["content-disposition"] == disposition


def test_the_whole_part_with_its_headers() -> None:
    response = part_response(asked(), VIDEO)
    assert (response.status_code, response.body) == (200, VIDEO.body)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["accept-ranges"] == "bytes"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("wanted", "status", "content_range"),
    [
        ("bytes=0-1", 206, "bytes 0-1/100"),
        ("bytes=10-", 206, "bytes 10-99/100"),
        ("bytes=-10", 206, "bytes 90-99/100"),
        ("bytes=-1000", 206, "bytes 0-99/100"),
        ("bytes=99-1000", 206, "bytes 99-99/100"),
        ("bytes=100-", 416, "bytes */100"),
        ("bytes=5-4", 416, "bytes */100"),
        ("bytes=-0", 416, "bytes */100"),
        ("bytes=-", 416, "bytes */100"),
    ],
)
def test_ranges(wanted: str, status: int, content_range: str) -> None:
    response = part_response(asked(range=wanted), VIDEO)
    assert (response.status_code, response.headers["content-range"]) == (status, content_range)
    if status == 206:
        first, last = content_range.removeprefix("bytes ").removesuffix("/100").split("-")
        assert response.body == VIDEO.body[int(first) : int(last) + 1]


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "pages=1-2", "bytes=x-y"])
def test_ranges_of_other_kinds_get_the_whole(wanted: str) -> None:
    assert part_response(asked(range=wanted), VIDEO).status_code == 200


def test_a_range_of_another_version_gets_the_whole() -> None:
    tag = part_response(asked(), VIDEO).headers["etag"]
    assert part_response(asked(range="bytes=0-1", if_range=tag), VIDEO).status_code == 206
    assert part_response(asked(range="bytes=0-1", if_range='"old"'), VIDEO).status_code == 200


def test_what_has_not_changed_is_not_sent_again() -> None:
    tag = part_response(asked(), VIDEO).headers["etag"]
    response = part_response(asked(if_none_match=tag), VIDEO)
    assert (response.status_code, response.body) == (304, b"")
