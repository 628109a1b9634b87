"""A request as it arrived at the MMSC, and as whom the VASP may come: all that a rule looks at."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from mmsgate.mm7.multipart import ContentType, Part, parse, parse_content_type
from mmsgate.mm7.received import SubmitReqReceived, Unpack
from mmsgate.mm7.request import Request, read_request
from mmsgate.mm7.unreadable import CannotRead, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The VASP's user and password."""

    user: str
    password: str = field(repr=False)

    def match(self, header: str) -> bool:
        """Whether an Authorization header carries them as HTTP Basic."""
        scheme, _, token = header.partition(" ")
        try:
            offered = base64.b64decode(token.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self.user}:{self.password}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(offered, wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One HTTP request. Header names are in lower case."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request: Request | Unreadable
    credentials: Credentials

    @classmethod
    def read(
        cls, headers: Mapping[str, str], body: bytes, *, credentials: Credentials, unpack: Unpack
    ) -> "Arrived":
        """The request in these bytes, its content as `unpack` sees it. Never raises."""
        content_type = headers.get("content-type", "")
        return cls(
            headers=headers,
            body=body,
            request=read_request(content_type, body, unpack=unpack),
            credentials=credentials,
        )

    @property
    def content_type(self) -> ContentType:
        """The HTTP request's Content-Type."""
        return parse_content_type(self.headers.get("content-type", ""))

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those of the outer multipart; none if it is a bare envelope, whatever it says it is, or broken."""
        declared = self.content_type
        try:
            return parse(declared, self.body) if declared.is_multipart else ()
        except CannotRead:
            return ()

    @property
    def submit(self) -> SubmitReqReceived:
        """The SubmitReq, for rules that come after those that let nothing else pass."""
        assert isinstance(self.request, SubmitReqReceived)
        return self.request
