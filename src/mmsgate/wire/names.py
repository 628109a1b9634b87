"""What the two XML dialects call things.

Names match case-insensitively, and ``-`` and ``_`` don't count (API contract 2.1). That one rule makes
``api-key``, ``api_key``, ``API_KEY`` and ``apikey`` the same name; only the true renames stand in a table (2.2).
"""

from functools import lru_cache

from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import WireDialect

#: Longer names are nobody's. The limit keeps made-up ones from filling the cache.
_LONGEST = 64

#: Other names of the same thing, canonical to canonical (contract 2.2).
_RENAMES = {
    "spid": "operatorid",  # Skycore, until 2014-12-16
    "messagesubject": "subject",
    "messagetext": "text",
    "wallet": "passbook",  # Skycore, autumn 2014
    "customtitle": "customsubject",  # Skycore, older
    "ddmtitle": "ddmmessagesubject",
    "ddmtext": "ddmmessagetext",
    "ddmtimeout": "ddmmessagetimeout",
}

#: The elements of a slide that hold a file, by canonical name.
MEDIA = {kind.value: kind for kind in MediaKind if kind is not MediaKind.TEXT}


def canonical(name: str) -> str:
    """The one name of an element or a form field: lower case, no separators, no namespace, renames undone.

    Empty for what can be no name of ours.
    """
    local = name.rpartition("}")[2]
    return _canonical(local) if len(local) <= _LONGEST else ""


@lru_cache(maxsize=1024)
def _canonical(name: str) -> str:
    bare = name.lower().replace("-", "").replace("_", "")
    return _RENAMES.get(bare, bare)


@lru_cache(maxsize=512)
def element_name(dialect: WireDialect, name: str) -> str:
    """An element's name by its kebab name: Skycore writes ``mms-id`` as MMSID.

    Raises ValueError for JSON, which has no elements.
    """
    if dialect is WireDialect.JSON:
        raise ValueError("JSON is not written as XML")
    return name.replace("-", "").upper() if dialect is WireDialect.SKYCORE else name
