"""Sinch's MM7 service as its customer sees it: its own codes and texts, judged from the outside in (MM7 page).

The page gives the codes (section 8) and what each element must be (sections 1, 2, 3 and 6), but no order of the
checks: it is that of the layers, HTTP, MIME, SOAP, then the elements as they stand in the table. "No SMIL" has no
code there: it is told as a content that can't be parsed. Not played: accounts that are disabled, look-ups, sizes.
"""

import re
from collections import Counter

from mmsgate.domain.number import parse_msisdn
from mmsgate.domain.operators import BUILT_IN
from mmsgate.mm7.address import Address, read_addresses
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.xml import attribute, child, children, own_text, truth
from mmsgate.simulator.arrived import Arrived
from mmsgate.simulator.rules import Rule, corrupt, dangling, no_length, no_submit, unknown_user

#: All three names that the pages give it; the first is the one that answers and reports bear.
CARRIER_HEADERS = ("x-mblox-carrier-id", "x-mblox-operator-id", "x-skycore-carrier-id")

_XML = frozenset({"text/xml", "application/xml"})
_VERSION = re.compile(r"\d\.\d{1,2}\.\d{1,2}", re.ASCII)
_VASID = re.compile(r"\d{3,15}(mms)?", re.ASCII)
_SCHEMA = re.compile(
    r"http://www\.3gpp\.org/ftp/Specs/archive/23_series/23\.140/schema/REL-(5-MM7-1-[0-5]|6-MM7-1-[0-4])"
)
_NEWEST = "REL-6-MM7-1-4"


def carrier_of(arrived: Arrived) -> str:
    """The operator that the request names, empty if it names none."""
    return next((arrived.headers[name] for name in CARRIER_HEADERS if name in arrived.headers), "")


def real_recipient(submit: SubmitReqReceived) -> tuple[Address, ...]:
    """Of a group only the one whose number is not for display gets the message."""
    to = child(submit.node, "Recipients", "To")
    shown = [truth(attribute(node, "displayOnly")) for node in children(to, "Number")]
    if not any(shown):
        return submit.recipients
    numbers = zip(read_addresses(to), shown, strict=False)
    return tuple(address for address, display_only in numbers if not display_only)


def _no_multipart(arrived: Arrived) -> str:
    mime = arrived.content_type.mime
    return "" if mime.startswith("multipart/") or mime in _XML else f"Content-Type is {mime or 'missing'}"


def _odd_content_type(arrived: Arrived) -> str:
    beside = [part.content_type.mime for part in arrived.parts[1:]]
    return next(
        (f"an attachment without Content-Type at place {n}" for n, mime in enumerate(beside, 2) if not mime), ""
    )


def _soap_is_no_xml(arrived: Arrived) -> str:
    parts = arrived.parts
    return "" if not parts or any(part.content_type.mime in _XML for part in parts) else "no part is text/xml"


def _no_transaction(arrived: Arrived) -> str:
    return "" if arrived.submit.transaction_id else "TransactionID is missing"


def _bad_namespace(arrived: Arrived) -> str:
    """A SubmitReq without a namespace is in the page's own samples."""
    submit = arrived.submit
    known = _SCHEMA.fullmatch(submit.namespace) is not None
    newest = submit.version != "6.8.0" or submit.namespace.endswith(_NEWEST)
    return "" if not submit.namespace or (known and newest) else f"{submit.namespace} for {submit.version}"


def _bad_version(arrived: Arrived) -> str:
    text = arrived.submit.version
    if not _VERSION.fullmatch(text):
        return f"MM7Version is {text or 'missing'}"
    numbers = tuple(map(int, text.split(".")))
    return "" if (5, 3, 0) <= numbers <= (6, 8, 0) else f"MM7Version {text} is not from 5.3.0 to 6.8.0"


def _no_identification(arrived: Arrived) -> str:
    return "" if "SenderIdentification" in arrived.submit.elements else "SenderIdentification is missing"


def _bad_vaspid(arrived: Arrived) -> str:
    return "" if arrived.submit.vaspid == arrived.credentials.user else "VASPID is not the API key"


def _bad_password(arrived: Arrived) -> str:
    """Basic is optional, but must be right if it is there."""
    return unknown_user(arrived) if "authorization" in arrived.headers else ""


def _bad_vasid(arrived: Arrived) -> str:
    text = arrived.submit.vasid
    return "" if not text or _VASID.fullmatch(text) else f"VASID {text} is not like 28444mms"


def _no_sender(arrived: Arrived) -> str:
    return "" if arrived.submit.sender else "SenderAddress is missing"


def _no_recipient(arrived: Arrived) -> str:
    return "" if arrived.submit.recipients else "Recipients names nobody"


def _bad_number(arrived: Arrived) -> str:
    """As it is written: neither a plus nor ``/TYPE=PLMN`` may be there."""
    to = child(arrived.submit.node, "Recipients", "To")
    bad = [node for node in children(to, "Number") if parse_msisdn(own_text(node), strict=True) is None]
    return f"{own_text(bad[0])} is no international number" if bad else ""


def _group(arrived: Arrived) -> Counter[str]:
    """How many Numbers of the To say that they are for display, are not, or say nothing."""
    to = child(arrived.submit.node, "Recipients", "To")
    return Counter(attribute(node, "displayOnly").lower() for node in children(to, "Number"))


def _several(arrived: Arrived) -> str:
    group = _group(arrived)
    return f"{group['']} recipients" if group.keys() == {""} and group[""] > 1 else ""


def _all_for_display(arrived: Arrived) -> str:
    return "every recipient is displayOnly" if _group(arrived).keys() == {"true"} else ""


def _several_real(arrived: Arrived) -> str:
    group = _group(arrived)
    real = group.total() - group["true"]
    return f"{real} recipients are not displayOnly" if real > 1 else ""


def _reply_charging(arrived: Arrived) -> str:
    return "ReplyCharging is not supported" if "ReplyCharging" in arrived.submit.elements else ""


def _charged_party(arrived: Arrived) -> str:
    charged = {"ChargedParty", "ChargedPartyID"} & set(arrived.submit.elements)
    return f"{min(charged)} is not supported" if charged else ""


def _bad_carrier(arrived: Arrived) -> str:
    carrier = carrier_of(arrived)
    return f"carrier {carrier} is not known" if carrier and BUILT_IN.find(carrier) is None else ""


def _no_content(arrived: Arrived) -> str:
    return "" if arrived.submit.content_href else "Content is missing"


def _no_smil(arrived: Arrived) -> str:
    return "" if arrived.submit.content.smil is not None else "the content has no SMIL"


RULES = (
    Rule(test=no_length, code=2500, text="Missing or Invalid HTTP header Content-Length or Content-Type"),
    Rule(test=_no_multipart, code=2500, text="Missing or Invalid HTTP header Content-Length or Content-Type"),
    Rule(test=_odd_content_type, code=2514, text="Invalid SOAP attachment header Content-Type"),
    Rule(test=_soap_is_no_xml, code=2515, text="Invalid SOAP body part Content-Type"),
    Rule(test=corrupt, code=2007, text="Unable to parse request"),
    Rule(test=no_submit, code=2512, text="Unsupported operation"),
    Rule(test=dangling, code=2513, text="Unable to parse attachment"),
    Rule(test=_no_transaction, code=2510, text="Missing or Invalid SOAP header"),
    Rule(test=_bad_version, code=2505, text="Missing or unsupported MM7 Version"),
    Rule(test=_bad_namespace, code=2507, text="Unsupported namespace"),
    Rule(test=_no_identification, code=2561, text="Invalid sender identification"),
    Rule(test=_bad_vaspid, code=2564, text="Invalid VASPID"),
    Rule(test=_bad_password, code=2568, text="Unable to authenticate"),
    Rule(test=_bad_vasid, code=2562, text="Invalid VASID"),
    Rule(test=_no_sender, code=2504, text="Missing source address"),
    Rule(test=_no_recipient, code=2502, text="Missing destination address"),
    Rule(test=_several, code=2503, text="Multiple destination addresses not supported"),
    Rule(test=_all_for_display, code=2571, text="All destination addresses are display-only"),
    Rule(test=_several_real, code=2572, text="More than one destination address is not display-only"),
    Rule(test=_bad_number, code=2002, text="Address Error"),
    Rule(test=_reply_charging, code=2565, text="Message rejected, reply charging not supported"),
    Rule(test=_charged_party, code=3002, text="Charged party not supported"),
    Rule(test=_bad_carrier, code=2566, text="Invalid carrier"),
    Rule(test=_no_content, code=2506, text="Missing XML element - Content"),
    Rule(test=_no_smil, code=2513, text="Unable to parse attachment"),
)
