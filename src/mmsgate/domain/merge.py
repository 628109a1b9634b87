"""Merge tags: ``{$name|default}`` in the texts of a saved MMS (API contract 7)."""

import re
from collections.abc import Mapping

_TAG = re.compile(r"\{\$([A-Za-z0-9_.-]{1,64})(?:\|([^{}]*))?\}")


def merged(text: str, data: Mapping[str, str]) -> str:
    """`text` with each tag replaced by its value, else by its default, else by nothing.

    Names of `data` are in lower case; a tag's name compares in any case. A value is plain text: tags in it stay.
    """
    if "{$" not in text:
        return text
    return _TAG.sub(lambda tag: data.get(tag[1].lower()) or tag[2] or "", text)
