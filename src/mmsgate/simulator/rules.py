"""What an MMSC demands of a request: tests that say in words what is wrong, and the codes it is refused with.

Rules are data: a personality has a list of them, judged in order. Those that look at the SubmitReq come after the
`READABLE` ones.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.unreadable import Unreadable
from mmsgate.simulator.arrived import Arrived
from mmsgate.simulator.reader import sequence_fault

Test = Callable[[Arrived], str]

#: Where `header-auth` wants the password.
KEY_HEADER = "x-vasp-key"

_XML = frozenset({"text/xml", "application/xml"})
_PLAIN = re.compile(r"[A-Za-z0-9]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a request was not taken.

    `code` 0 is answered without SOAP; `http` 0 leaves the HTTP status to the personality.
    """

    code: int = 0
    text: str = ""
    details: str = ""
    http: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A test, and what it is refused with."""

    test: Test
    code: int = 0
    text: str = ""
    http: int = 0

    def judge(self, arrived: Arrived) -> Refused | None:
        """The refusal, None if there is nothing wrong."""
        wrong = self.test(arrived)
        return Refused(code=self.code, text=self.text, details=wrong, http=self.http) if wrong else None


def refusal(rules: Iterable[Rule], arrived: Arrived) -> Refused | None:
    """The first refusal, None if every rule is kept."""
    return next((refused for rule in rules if (refused := rule.judge(arrived))), None)


# -- who is there


def unknown_user(arrived: Arrived) -> str:
    """HTTP Basic with the VASP's user and password."""
    known = arrived.credentials.match(arrived.headers.get("authorization", ""))
    return "" if known else "the credentials are not right"


def user_is_not_the_vaspid(arrived: Arrived) -> str:
    """HTTP Basic, and its user must be the VASPID."""
    return unknown_user(arrived) or (
        "" if arrived.submit.vaspid == arrived.credentials.user else "the VASPID is not the user"
    )


def no_key(arrived: Arrived) -> str:
    """The password in a header of the carrier's own."""
    return "" if arrived.headers.get(KEY_HEADER) == arrived.credentials.password else f"no valid {KEY_HEADER}"


def has_vaspid(arrived: Arrived) -> str:
    """For who knows the VASP by other means."""
    return "element VASPID is not expected" if arrived.submit.vaspid else ""


# -- how it is packed


def no_length(arrived: Arrived) -> str:
    """A Content-Length must be there: a chunked body has none."""
    return "" if "content-length" in arrived.headers else "Content-Length is required"


def soap_not_first(arrived: Arrived) -> str:
    """The SOAP part must be the first one, whatever `start` says."""
    parts = arrived.parts
    return "" if not parts or parts[0].content_type.mime in _XML else "the first part is no SOAP envelope"


def odd_boundary(arrived: Arrived) -> str:
    """One MMSC breaks on punctuation in a boundary: letters and digits only, at most 40."""
    types = (arrived.content_type, *(part.content_type for part in arrived.parts))
    boundaries = (one.parameters.get("boundary", "") for one in types if one.is_multipart)
    return next((f"boundary {one} not found" for one in boundaries if not _PLAIN.fullmatch(one)), "")


def flat(arrived: Arrived) -> str:
    """The content must lie in a multipart of its own."""
    nested = any(part.content_type.is_multipart for part in arrived.parts)
    return "" if nested or not arrived.submit.content.parts else "the content is no multipart"


def nested(arrived: Arrived) -> str:
    """The content's parts must lie beside the SOAP part."""
    return "a part is a multipart" if any(part.content_type.is_multipart for part in arrived.parts) else ""


def base64(arrived: Arrived) -> str:
    """Binary parts only."""
    encoded = any(part.encoding == "base64" for part in arrived.submit.content.parts)
    return "a part is encoded as base64" if encoded else ""


# -- what it says


def corrupt(arrived: Arrived) -> str:
    """Neither XML nor a multipart that can be read: whatever is unreadable for no better reason."""
    request = arrived.request
    return request.reason if isinstance(request, Unreadable) and request.status_code not in (4003, 4004) else ""


def no_submit(arrived: Arrived) -> str:
    """Another operation than SubmitReq."""
    if isinstance(arrived.request, Unreadable):
        return _unreadable(arrived, 4003)
    return "" if isinstance(arrived.request, SubmitReqReceived) else "only SubmitReq is taken here"


def dangling(arrived: Arrived) -> str:
    """The Content element names a part that is not there."""
    return _unreadable(arrived, 4004)


def _unreadable(arrived: Arrived, code: int) -> str:
    request = arrived.request
    return request.reason if isinstance(request, Unreadable) and request.status_code == code else ""


def misplaced(arrived: Arrived) -> str:
    """The children of SubmitReq must stand as the schema wants them, and somebody must be addressed."""
    submit = arrived.submit
    return sequence_fault(submit.elements) or ("" if submit.recipients else "element Recipients names nobody")


def other_version(arrived: Arrived, *, namespace: str, version: str) -> str:
    """Only one pair of namespace and MM7Version is taken."""
    submit = arrived.submit
    if submit.namespace != namespace:
        return f"namespace {submit.namespace or 'none'} is not supported"
    return "" if submit.version == version else f"MM7Version must be {version}"


READABLE = (
    Rule(test=corrupt, code=2007),
    Rule(test=no_submit, code=4003),
    Rule(test=dangling, code=4004),
)

#: HTTP 401 without a body, as MMSCs answer to wrong credentials.
BASIC = Rule(test=unknown_user, http=401)

#: The answer to a request without Content-Length is a vendor's code, of the class "client error".
LENGTH = Rule(test=no_length, code=2500, text="Content-Length is required")

VALID = Rule(test=misplaced, code=4004, text="Validation error")

#: The standard to the letter.
STRICT = (BASIC, LENGTH, *READABLE, VALID)
