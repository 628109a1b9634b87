"""What a customer asks for, in our words: the wire dialects end before this."""

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
class ApiRequest:
    """A parsed request of any action, before anybody has looked whose it is.

    `action` is the text of the element, trimmed, None where it is absent; `parameters` is the action's own
    request if the action is one that this version serves. `api_key` never shows in a repr.
    """

    dialect: WireDialect
    action: str | None
    api_key: str | None = field(default=None, repr=False)
    parameters: SendMms | None = None
