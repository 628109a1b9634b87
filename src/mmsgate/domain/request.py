"""What a customer asks for, in our words: the wire dialects end before this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.domain.slide import DraftSlide


class WireDialect(StrEnum):
    """The customers' dialects: they decide names, texts and shapes on the wire, nothing else."""

    KEBAB = "kebab"
    SKYCORE = "skycore"
    JSON = "json"


class Action(StrEnum):
    """What a request can ask for. The values are the API's own spelling."""

    SEND_MMS = "sendMMS"
    SAVE_MMS = "saveMMS"
    SEND_SAVED_MMS = "sendSavedMMS"
    DELETE_MMS_ID = "deleteMMSID"
    GET_MMS_TEMPLATES = "getMMSTemplates"
    GET_MMS_IDS = "getMmsIds"
    LOGIN_USER = "loginUser"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMms:
    """sendMMS (API contract 6.1). Every field is what the customer wrote, trimmed, or None where absent.

    Nothing is checked here: an empty string is an element that was there and empty.
    """

    to: str | None = None
    sender: str | None = None
    name: str | None = None
    subject: str | None = None
    service_id: str | None = None
    operator_id: str | None = None
    campaign_ref: str | None = None
    sender_mask: str | None = None
    fallback_text: str | None = None
    fallback_link_expiration: str | None = None
    disable_fallback: bool | None = None
    disable_fallback_link: bool | None = None
    slides: tuple[DraftSlide, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveMms:
    """saveMMS (6.2), with the same promise as `SendMms`."""

    name: str | None = None
    subject: str | None = None
    fallback_text: str | None = None
    disable_fallback: bool | None = None
    disable_fallback_link: bool | None = None
    slides: tuple[DraftSlide, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomText:
    """Another text for one slide; `slide` is its number as written. None where a child is missing."""

    value: str | None = None
    slide: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSavedMms:
    """sendSavedMMS (6.3), with the same promise as `SendMms`. `data` has its names in lower case."""

    mms_id: str | None = None
    to: str | None = None
    sender: str | None = None
    service_id: str | None = None
    operator_id: str | None = None
    campaign_ref: str | None = None
    sender_mask: str | None = None
    fallback_text: str | None = None
    fallback_link_expiration: str | None = None
    disable_fallback: bool | None = None
    disable_fallback_link: bool | None = None
    custom_subject: str | None = None
    custom_texts: tuple[CustomText, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    discovery_text: str | None = None
    discovery_subject: str | None = None
    discovery_timeout: str | None = None
    discovery_forced: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMmsId:
    """deleteMMSID (6.4)."""

    mms_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMmsTemplates:
    """getMMSTemplates (6.5)."""

    start_date: str | None = None
    page_number: str | None = None
    items_per_page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMmsIds:
    """getMmsIds (10): every template's id, in the Skycore dialect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginUser:
    """loginUser (10): older clients call it before anything else; the key alone counts."""


Parameters = SendMms | SaveMms | SendSavedMms | DeleteMmsId | GetMmsTemplates | GetMmsIds | LoginUser


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A parsed request of any action, before anybody has looked whose it is.

    `action` is the text of the element, trimmed, None where it is absent; `parameters` is the action's own
    request, None where it is absent or nobody knows the action. `api_key` never shows in a repr.
    """

    dialect: WireDialect
    action: str | None
    api_key: str | None = field(default=None, repr=False)
    parameters: Parameters | None = None
