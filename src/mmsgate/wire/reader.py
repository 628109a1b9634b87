"""From the XML dialects' words to ours. Nothing is checked here but the shape.

Elements come in any order, slides in document order; unknown elements are ignored. Of a repeated element the first
counts, except the texts and files of a slide: an empty one is none (some clients write every element of a slide,
filled or not), all others are kept so that a second one can be refused (E223).
Values are trimmed, except subject and slide text, where only a value that is nothing but blanks becomes empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import (
    Action,
    ApiRequest,
    CustomText,
    DeleteMmsId,
    GetMmsIds,
    GetMmsTemplates,
    LoginUser,
    Parameters,
    SaveMms,
    SendMms,
    SendSavedMms,
    WireDialect,
)
from mmsgate.domain.slide import DraftSlide
from mmsgate.errors import Refusal
from mmsgate.wire.names import MEDIA, canonical

_TRUE = frozenset({"yes", "true", "1"})
_FALSE = frozenset({"no", "false", "0"})
_KEPT_AS_WRITTEN = frozenset({"subject", "text", "customsubject", "value", "ddmmessagesubject", "ddmmessagetext"})
_CUSTOM_TEXT, _DATA = "customtext_", "data_"  # how GET names begin (API contract 1.2)

#: Actions whose slides have no GET form (API contract 1.2).
_XML_ONLY = frozenset({Action.SEND_MMS.lower(), Action.SAVE_MMS.lower()})


def read_request(root: Element) -> ApiRequest:
    """The request in a document. Its root decides the dialect: all upper case is Skycore, else kebab.

    Raises `Refusal` E100 for any other root than ``request``.
    """
    if canonical(root.tag) != "request":
        raise Refusal("E100", detail=f"the root element is {root.tag[:40]!r}, not request")
    dialect = WireDialect.SKYCORE if _local(root).isupper() else WireDialect.KEBAB
    return _request(_contents(root), dialect)


def read_form(fields: Iterable[tuple[str, str]]) -> ApiRequest:
    """The request in the parameters of a Skycore GET (API contract 1.2), decoded, in their order.

    Raises `Refusal` E100 for actions that have no such form, and where nothing says that it is a request at all.
    """
    contents = _Contents()
    for name, value in fields:
        written = name.lower()
        if written.startswith(_CUSTOM_TEXT):
            contents.texts.append(CustomText(value=value, slide=written.removeprefix(_CUSTOM_TEXT)))
        elif written.startswith(_DATA):
            contents.data.setdefault(written.removeprefix(_DATA), value)
        else:
            contents.values.setdefault(canonical(name), value.strip())
    if not contents.values.keys() & {"action", "apikey"}:
        raise Refusal("E100", detail="neither an XML document, nor parameters with an action and a key")
    action = contents.values.get("action", "")
    if action.lower() in _XML_ONLY:
        raise Refusal("E100", detail=f"{action} has no GET form, post an XML document")
    return _request(contents, WireDialect.SKYCORE)


@dataclass(slots=True)
class _Contents:
    """What a request holds: its simple elements, and those with children."""

    values: dict[str, str] = field(default_factory=dict)
    slides: list[Element] = field(default_factory=list)
    texts: list[CustomText] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)


def _request(contents: _Contents, dialect: WireDialect) -> ApiRequest:
    action = contents.values.get("action")
    read = _ACTIONS.get((action or "").lower())
    return ApiRequest(
        dialect=dialect, action=action, api_key=contents.values.get("apikey"),
        parameters=read(contents) if read else None,
    )  # fmt: skip


def _contents(root: Element) -> _Contents:
    contents = _Contents()
    for child in root:
        name = canonical(child.tag)
        if name == "slide":
            contents.slides.append(child)
        elif name == "customtext":
            contents.texts.append(_custom_text(child))
        elif name == "data":
            for value in child:
                contents.data.setdefault(_local(value).lower(), (value.text or "").strip())
        elif name not in contents.values:
            contents.values[name] = _value(name, child)
    return contents


def _custom_text(element: Element) -> CustomText:
    children = {canonical(child.tag): child for child in reversed(element)}  # the first of a name counts
    given = {name: _value(name, children[name]) for name in ("value", "slide") if name in children}
    return CustomText(value=given.get("value"), slide=given.get("slide"))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(name: str, element: Element) -> str:
    text = element.text or ""
    trimmed = text.strip()
    return text if trimmed and name in _KEPT_AS_WRITTEN else trimmed


def _truth(text: str | None) -> bool | None:
    """yes/true/1 and no/false/0 in any case (contract 2.3); what is neither counts as absent."""
    word = (text or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _send_mms(contents: _Contents) -> SendMms:
    values = contents.values
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
        slides=tuple(map(_slide, contents.slides)),
    )


def _save_mms(contents: _Contents) -> SaveMms:
    values = contents.values
    return SaveMms(
        name=values.get("name"),
        subject=values.get("subject"),
        fallback_text=values.get("fallbacksmstext"),
        disable_fallback=_truth(values.get("disablefallbacksms")),
        disable_fallback_link=_truth(values.get("disablefallbacksmslink")),
        slides=tuple(map(_slide, contents.slides)),
    )


def _send_saved_mms(contents: _Contents) -> SendSavedMms:
    values = contents.values
    return SendSavedMms(
        mms_id=values.get("mmsid"),
        to=values.get("to"),
        sender=values.get("from"),
        service_id=values.get("serviceid"),
        operator_id=values.get("operatorid"),
        campaign_ref=values.get("campaignref"),
        sender_mask=values.get("frommask"),
        fallback_text=values.get("fallbacksmstext"),
        fallback_link_expiration=values.get("fallbacksmslinkexpiration"),
        disable_fallback=_truth(values.get("disablefallbacksms")),
        disable_fallback_link=_truth(values.get("disablefallbacksmslink")),
        custom_subject=values.get("customsubject"),
        custom_texts=tuple(contents.texts),
        data=contents.data,
        discovery_text=values.get("ddmmessagetext"),
        discovery_subject=values.get("ddmmessagesubject"),
        discovery_timeout=values.get("ddmmessagetimeout"),
        discovery_forced=_truth(values.get("ddmforce")),
    )


def _delete_mms_id(contents: _Contents) -> DeleteMmsId:
    return DeleteMmsId(mms_id=contents.values.get("mmsid"))


def _get_mms_templates(contents: _Contents) -> GetMmsTemplates:
    values = contents.values
    return GetMmsTemplates(
        start_date=values.get("startdate"),
        page_number=values.get("pagenumber"),
        items_per_page=values.get("itemsperpage"),
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


_ACTIONS: Mapping[str, Callable[[_Contents], Parameters]] = {
    Action.SEND_MMS.lower(): _send_mms,
    Action.SAVE_MMS.lower(): _save_mms,
    Action.SEND_SAVED_MMS.lower(): _send_saved_mms,
    Action.DELETE_MMS_ID.lower(): _delete_mms_id,
    Action.GET_MMS_TEMPLATES.lower(): _get_mms_templates,
    Action.GET_MMS_IDS.lower(): lambda _: GetMmsIds(),
    Action.LOGIN_USER.lower(): lambda _: LoginUser(),
}
