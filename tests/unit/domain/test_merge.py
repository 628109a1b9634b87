"""Merge tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsgate.domain.merge import merged

DATA = {"first_name": "Ada", "empty": "", "tag": "{$first_name}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {$first_name|friend}!", "Hello Ada!"),
        ("Hello {$FIRST_NAME}!", "Hello Ada!"),
        ("Hello {$last_name|friend}!", "Hello friend!"),
        ("Hello {$empty|friend}!", "Hello friend!"),
        ("Hello {$last_name}!", "Hello !"),
        ("Hello {$last_name|}!", "Hello !"),
        ("{$tag} stays as it is", "{$first_name} stays as it is"),
        ("{$first_name}{$first_name}", "AdaAda"),
        ("{$ first_name} {first_name} $first_name {$}", "{$ first_name} {first_name} $first_name {$}"),
        ("{$first_name|a default with\nlines & marks}", "Ada"),
    ],
)
def test_a_tag_is_its_value_else_its_default_else_nothing(text: str, expected: str) -> None:
    assert merged(text, DATA) == expected


@given(st.text(alphabet="{}$|ab \n", max_size=200))
def test_text_without_a_tag_stays(text: str) -> None:
    if "{$" not in text:
        assert merged(text, DATA) == text


def test_a_long_text_of_broken_tags_is_quick_to_read() -> None:
    text = "{$a|" * 100_000
    assert merged(text, DATA) == text
