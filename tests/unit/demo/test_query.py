import pytest
from starlette.datastructures import QueryParams

from mmsgate.demo.query import MAX_WAIT, BadQuery, Query, parse_query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query()),
        ("tracking-id=a%2Bb", Query(tracking_id="a+b")),
        ("wait=10s", Query(wait=10)),
        ("wait=10", Query(wait=10)),
        ("wait=1.5s", Query(wait=1.5)),
        ("wait=500ms&tracking-id=x", Query(tracking_id="x", wait=0.5)),
        ("wait=86400s", Query(wait=MAX_WAIT)),
    ],
)
def test_a_query_is_read(text: str, expected: Query) -> None:
    assert parse_query(QueryParams(text)) == expected


@pytest.mark.parametrize("text", ["wait=soon", "wait=-1", "wait=inf", "wait=1h", "wait=%C2%B2", "trackingid=x"])
def test_what_is_wrong_is_said(text: str) -> None:
    assert isinstance(parse_query(QueryParams(text)), BadQuery)
