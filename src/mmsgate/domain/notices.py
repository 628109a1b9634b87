"""What each postback code means, and what a customer does about it: one table for the pages and the reference.

Some numbers are those of errors that are not answered any more (E101, E102); here they are always postbacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mmsgate.domain.postback import PostbackCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One code. `final`: nothing comes for its message, or its template, after it."""

    meaning: str
    remedy: str
    final: bool = False


def _notice(meaning: str, remedy: str = "Nothing.", *, final: bool = False) -> Notice:
    return Notice(meaning=meaning, remedy=remedy, final=final)


_WHY = "status-details says why; so does the timeline, GET /messages/TRACKING-ID."
_FILE = "Look at the file behind the URL in the postback, and send one that plays."

#: In order of their numbers.
NOTICES: Mapping[str, Notice] = MappingProxyType({
    PostbackCode.E002: _notice(
        "A template can't be sent: a sound of it can't be used. Its mms-id is dead.", f"{_FILE} Save it anew.",
        final=True,
    ),
    PostbackCode.E003: _notice(
        "A template can't be sent: a video of it can't be used. Its mms-id is dead.", f"{_FILE} Save it anew.",
        final=True,
    ),
    PostbackCode.E012: _notice("The message was not sent: a sound of it can't be used.", _FILE, final=True),
    PostbackCode.E013: _notice("The message was not sent: a video of it can't be used.", _FILE, final=True),
    PostbackCode.E101: _notice("The message was never sent.", _WHY, final=True),
    PostbackCode.E102: _notice(
        "The message was sent, and its carrier reported that it did not arrive: Expired, Rejected, Failed or Not "
        "Supported; in JSON Rejected or Unrecognised.",
        _WHY,
        final=True,
    ),
    PostbackCode.E202: _notice("The fallback SMS did not arrive, or was not sent.", _WHY, final=True),
    PostbackCode.E501: _notice(
        "The device discovery ahead of the message was never sent. The message itself is sent all the same.", _WHY
    ),
    PostbackCode.E502: _notice(
        "The device discovery ahead of the message did not arrive. The message itself is sent all the same.", _WHY
    ),
    PostbackCode.E999: _notice(
        "A fault of the gateway ended the message. This version tells such a fault as E101.", _WHY, final=True
    ),
    PostbackCode.N003: _notice("A template can be sent.", "Send it.", final=True),
    PostbackCode.N013: _notice("The sound and video of the message are prepared; it is sent now."),
    PostbackCode.N101: _notice(
        "The carrier took the message (sent-as MMS), or the SMSC took its fallback SMS (sent-as SMS).",
        "Wait for the report. Where the carrier gives none, it stays at this.",
    ),
    PostbackCode.N102: _notice("The message arrived.", final=True),
    PostbackCode.N103: _notice(
        "The message was sent, and its carrier reported that it expired before it arrived. Told in JSON alone; in "
        "XML it is E102.",
        _WHY,
        final=True,
    ),
    PostbackCode.N202: _notice("The fallback SMS arrived.", final=True),
    "N211": _notice("A phone sent an SMS to one of the account's numbers.", final=True),
    "N401": _notice(
        "A phone sent an MMS to one of the account's numbers; file has the address of each part.",
        "Fetch the files before they are deleted.",
        final=True,
    ),
    PostbackCode.N501: _notice("The carrier took the device discovery that goes ahead of the message."),
    PostbackCode.N502: _notice(
        "The device discovery arrived; handset is the phone, if the carrier named it. The message follows."
    ),
})  # fmt: skip
