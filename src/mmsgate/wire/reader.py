"""From the XML dialects' words to ours. Nothing is checked here but the shape.

Elements come in any order, slides in document order; unknown elements are ignored. Of a repeated element the first
counts, except the texts and files of a slide: an empty one is none (some clients write every element of a slide,
filled or not), all others are kept so that a second one can be refused (E223).
Values are trimmed, except subject and slide text, where only a value that is nothing but blanks becomes empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import Action, ApiRequest, SendMms, WireDialect
from mmsgate.domain.slide import DraftSlide
from mmsgate.errors import Refusal
from mmsgate.wire.names import MEDIA, canonical

#: A request's simple elements, by canonical name.
Values = Mapping[str, str]

_TRUE = frozenset({"yes", "true", "1"})
_FALSE = frozenset({"no", "false", "0"})
_KEPT_AS_WRITTEN = frozenset({"subject", "text"})

#: Actions whose slides have no GET form (API contract 1.2).
_XML_ONLY = frozenset({Action.SEND_MMS.lower(), Action.SAVE_MMS.lower()})


def read_request(root: Element) -> ApiRequest:
    """The request in a document. Its root decides the dialect: all upper case is Skycore, else kebab.

    Raises `Refusal` E100 for any other root than ``request``.
    """
    if canonical(root.tag) != "request":
        raise Refusal("E100", detail=f"the root element is {root.tag[:40]!r}, not request")
    values, slides = _contents(root)
    action = values.get("action")
    read = _ACTIONS.get((action or "").lower())
    local_name = root.tag.rpartition("}")[2]
    return ApiRequest(
        dialect=WireDialect.SKYCORE if local_name.isupper() else WireDialect.KEBAB,
        action=action,
        api_key=values.get("apikey"),
        parameters=read(values, slides) if read else None,
    )


def read_form(fields: Iterable[tuple[str, str]]) -> ApiRequest:
    """The request in the parameters of a Skycore GET (API contract 1.2), decoded, in their order.

    Raises `Refusal` E100 for actions that have no such form, and where nothing says that it is a request at all.
    """
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(canonical(name), value.strip())
    if not values.keys() & {"action", "apikey"}:
        raise Refusal("E100", detail="neither an XML document, nor parameters with an action and a key")
    action = values.get("action")
    if action and action.lower() in _XML_ONLY:
        raise Refusal("E100", detail=f"{action} has no GET form, post an XML document")
    return ApiRequest(dialect=WireDialect.SKYCORE, action=action, api_key=values.get("apikey"))


def _contents(root: Element) -> tuple[Values, list[Element]]:
    values: dict[str, str] = {}
    slides: list[Element] = []
    for child in root:
        name = canonical(child.tag)
        if name == "slide":
            slides.append(child)
        elif name not in values:
            values[name] = _value(name, child)
    return values, slides


def _value(name: str, element: Element) -> str:
    text = element.text or ""
    trimmed = text.strip()
    return text if trimmed and name in _KEPT_AS_WRITTEN else trimmed


def _truth(text: str | None) -> bool | None:
    """yes/true/1 and no/false/0 in any case (contract 2.3); what is neither counts as absent."""
    word = (text or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _send_mms(values: Values, slides: Iterable[Element]) -> SendMms:
    return SendMms(
        to=values.get("to"),
        sender=values.get("from"),
        name=values.get("name"),
        subject=values.get("subject"),
        service_id=values.get("serviceid"),
        operator_id=values.get("operatorid"),
        campaign_ref=values.get("campaignref"),
        sender_mask=values.get("frommask"),
        fallback_text=values.get("fallbacksmstext"),
        fallback_link_expiration=values.get("fallbacksmslinkexpiration"),
        disable_fallback=_truth(values.get("disablefallbacksms")),
        disable_fallback_link=_truth(values.get("disablefallbacksmslink")),
        slides=tuple(_slide(element) for element in slides),
    )


def _slide(element: Element) -> DraftSlide:
    texts: list[str] = []
    urls: list[tuple[MediaKind, str]] = []
    duration: str | None = None
    for child in element:
        name = canonical(child.tag)
        if name == "text":
            texts.append(_value(name, child))
        elif name == "duration":
            duration = _value(name, child) if duration is None else duration
        elif name in MEDIA:
            urls.extend(_files(MEDIA[name], child))
        elif name == "object":  # Skycore, autumn 2014: <OBJECT><VCARD>url</VCARD></OBJECT>
            urls.extend(_objects(child))
    return DraftSlide(texts=tuple(filter(None, texts)), urls=tuple(urls), duration=duration)


def _objects(element: Element) -> Iterator[tuple[MediaKind, str]]:
    for child in element:
        kind = MEDIA.get(canonical(child.tag))
        if kind:
            yield from _files(kind, child)


def _files(kind: MediaKind, element: Element) -> Iterator[tuple[MediaKind, str]]:
    """The URLs of a medium: its ``url`` elements, or its bare text where it has none."""
    urls = [_value("url", child) for child in element if canonical(child.tag) == "url"]
    return ((kind, url) for url in urls or [_value("url", element)] if url)


# The actions that this version serves. The others are known by name only, accept answers for them.
_ACTIONS: Mapping[str, Callable[[Values, Iterable[Element]], SendMms]] = {
    Action.SEND_MMS.lower(): _send_mms,
}
