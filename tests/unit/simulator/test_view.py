"""Messages as JSON and as words."""

import json

import pytest
from starlette.datastructures import QueryParams

from mmsgate.simulator.handset import ANDROID
from mmsgate.simulator.message import Kind, Message, Part, Slide
from mmsgate.simulator.query import BadQuery, Query, parse_query
from mmsgate.simulator.view import (
    linked,
    links,
    message_json,
    pretty_number,
    pretty_size,
    pretty_smil,
    preview,
    time_of_day,
)

MMS = Message(
    id=7,
    kind=Kind.MMS,
    to="12399471613",
    sender="28444",
    subject="Hello",
    text="Hi",
    received_at=1_767_346_247_000,
    transaction_id="42",
    message_id="a1",
    size=14,
    parts=(
        Part(name="show.smil", content_type="application/smil", body=b"<smil/>"),
        Part(name="s1.txt", content_type="text/plain; charset=utf-8", body=b"Hi"),
        Part(name="s2.vcf", content_type="text/x-vCard", body=b"BEGIN"),
    ),
    slides=(Slide(duration=5000, parts=(1,), missing=("x",)),),
    attachments=(2,),
    smil="<smil/>",
)
SMS = Message(
    id=8, kind=Kind.SMS, to="1", sender="28444", text="See http://a.example/x.", received_at=0, segments=2
)


def test_an_mms_as_json() -> None:
    assert json.loads(json.dumps(message_json(MMS))) == {
        "id": 7,
        "kind": "MMS",
        "to": "12399471613",
        "from": "28444",
        "subject": "Hello",
        "text": "Hi",
        "received_at": "2026-01-02T09:30:47Z",
        "transaction_id": "42",
        "message_id": "a1",
        "copies": 1,
        "size": 14,
        "links": [],
        "slides": [
            {
                "duration_ms": 5000,
                "parts": [
                    {
                        "name": "s1.txt",
                        "type": "text/plain",
                        "size": 2,
                        "sha256": "3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8",
                        "url": "/sim/messages/7/parts/2",
                        "text": "Hi",
                    }
                ],
                "missing": ["x"],
            }
        ],
        "attachments": [
            {
                "name": "s2.vcf",
                "type": "text/x-vcard",
                "size": 5,
                "sha256": "a8402858d4f1e1d27afee976520485ebb4b96a5387355b823f0d0b8079729032",
                "url": "/sim/messages/7/parts/3",
            }
        ],
        "not_shown": [],
        "smil": "<smil/>",
    }


def test_an_sms_as_json() -> None:
    entry = message_json(SMS)
    assert (entry["kind"], entry["parts"], entry["links"]) == ("SMS", 2, ["http://a.example/x"])
    assert "slides" not in entry


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "see http://a.example/x?b=1&c=2, or HTTPS://B.example/.",
            ["http://a.example/x?b=1&c=2", "HTTPS://B.example/"],
        ),
        ("(http://a.example/x)", ["http://a.example/x"]),
        ("javascript:alert(1) ftp://x.example data:text/html,x", []),
    ],
)
def test_links(text: str, found: list[str]) -> None:
    assert links(text) == found


def test_linking_escapes_everything() -> None:
    html = linked('<b>&"http://a.example/?x=1&y=<script>\' http://b.example/"onclick=x')
    assert "<script>" not in html
    assert "<b>" not in html
    assert 'href="http://a.example/?x=1&amp;y="' in html
    assert 'href="http://b.example/"' in html
    assert html.count("<a ") == 2


@pytest.mark.parametrize(
    ("number", "pretty"),
    [("12399471613", "+1 239-947-1613"), ("4930123456", "+4930123456"), ("28444", "28444"), ("Info", "Info")],
)
def test_numbers_as_people_write_them(number: str, pretty: str) -> None:
    assert pretty_number(number) == pretty


@pytest.mark.parametrize(
    ("size", "pretty"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (307_200, "300 KB"), (3_145_728, "3.0 MB")]
)
def test_sizes_as_people_write_them(size: int, pretty: str) -> None:
    assert pretty_size(size) == pretty


def test_one_line_about_a_message() -> None:
    assert preview(MMS) == "Hello · 1 slide"
    assert preview(SMS) == SMS.text
    assert time_of_day(MMS.received_at) == "09:30"


def test_smil_on_one_line_is_indented_and_other_smil_left_alone() -> None:
    assert pretty_smil('<smil><body><par><img src="a"/></par></body></smil>').splitlines() == [
        "<smil>",
        "  <body>",
        "    <par>",
        '      <img src="a"/>',
        "    </par>",
        "  </body>",
        "</smil>",
    ]
    assert pretty_smil("<smil>\n</smil>") == "<smil>\n</smil>"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("to=%2B12399471613&since=5&wait=10s", Query(to="12399471613", since=5, wait=10.0)),
        ("wait=10", Query(wait=10.0)),
        ("wait=500ms", Query(wait=0.5)),
        ("wait=1.5s&to=&since=", Query(wait=1.5)),
        ("wait=3600s", Query(wait=60.0)),
        ("as=android", Query(handset=ANDROID)),
    ],
)
def test_good_queries(text: str, query: Query) -> None:
    assert parse_query(QueryParams(text)) == query


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("to=abc", "to"),
        ("since=-1", "since"),
        ("since=1.5", "since"),
        ("since=latest", "since"),
        ("since=٣", "since"),
        ("wait=soon", "wait"),
        ("as=nokia", "as must be one of usual, plain, android"),
        ("wait=-1", "wait"),
        ("wait=10m", "wait"),
        ("wait=1e3", "wait"),
        ("form=12399471613", "form"),
    ],
)
def test_bad_queries_are_told_what_is_wrong(text: str, word: str) -> None:
    problem = parse_query(QueryParams(text))
    assert isinstance(problem, BadQuery)
    assert word in problem.reason
