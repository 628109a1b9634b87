"""The documents: pages and notices as HTML, and the policy that says what they may load."""

import base64
import hashlib
from enum import Enum
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmsgate.clock import iso_z
from mmsgate.pages.page import Page
from mmsgate.pages.text import day_label, pieces, size_label

_STATIC = files(__package__) / "static"

#: Written into every document, so that a page is there after one request. The policy admits it by its hash.
_STYLE = (_STATIC / "page.css").read_text("utf-8")
#: The beacon. A page works without it.
SCRIPT = (_STATIC / "page.js").read_bytes()
#: Its name changes with its content: browsers may keep it for ever.
SCRIPT_NAME = f"page-{hashlib.sha256(SCRIPT).hexdigest()[:12]}.js"

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_templates = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"pieces": pieces, "size": size_label, "day": day_label, "iso": iso_z}
_templates.globals |= {"style": _STYLE, "script_name": SCRIPT_NAME}


class Notice(Enum):
    """What is said where there is nothing to show: HTTP status, title, explanation."""

    UNKNOWN = (
        404,
        "Nothing here",
        "This link leads to no message. Check that it is complete, up to its last letter.",
    )
    EXPIRED = (410, "This message has expired", "Its pictures and files are no longer available.")
    LATER = (503, "Not available right now", "This part of the message can't be shown. Try again in a minute.")
    BROKEN = (500, "Something went wrong", "This part of the message can't be shown right now. Try again later.")

    def __init__(self, status: int, title: str, explanation: str) -> None:
        self.status = status
        self.title = title
        self.explanation = explanation


def page_html(page: Page) -> bytes:
    """The page with all its slides. Addresses in it are relative, so any prefix may stand before ``/m/``."""
    return _rendered("page.html", page=page)


def notice_html(notice: Notice) -> bytes:
    """A page that says why there is nothing to see. It tells nothing of any message."""
    return _rendered("notice.html", notice=notice)


def _rendered(template: str, **values: object) -> bytes:
    # a JSON request can bring half a surrogate pair, which has no UTF-8
    return _templates.get_template(template).render(values).encode("utf-8", "replace")
