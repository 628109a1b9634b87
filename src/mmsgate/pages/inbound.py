"""The addresses of inbound messages' files: ``/mo/TOKEN/NUMBER.EXTENSION``, for the program that was told of them.

Knowing a token is the right to get the files. They come from phones that nobody knows: whatever could run in a
browser is only given to be saved, and none of it may load or run anything.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmsgate.clock import Clock
from mmsgate.domain.inbound import Inbound, InboundFile
from mmsgate.pages.files import BlobPaths, local_file
from mmsgate.pages.html import Notice
from mmsgate.pages.page import is_token
from mmsgate.pages.responses import Hosted, file_response, notice
from mmsgate.postbacks.inbound import HOSTED

#: Shown or saved, it is cut off from everything.
_POLICY = (
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'"
)


def inbound_routes(
    find: Callable[[str], Awaitable[Inbound | None]], blobs: BlobPaths, *, clock: Clock
) -> list[Route]:
    """`find` gives the inbound message of a token."""
    return [Route(f"{HOSTED}/{{token}}/{{name}}", _Files(find=find, blobs=blobs, clock=clock).file)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    find: Callable[[str], Awaitable[Inbound | None]]
    blobs: BlobPaths
    clock: Clock

    async def file(self, request: Request) -> Response:
        """One file, by its exact name: 200, 206, 304, 404, 410 or 416."""
        token = request.path_params["token"]
        inbound = await self.find(token) if is_token(token) else None
        file = _named(inbound, request.path_params["name"]) if inbound else None
        if inbound is None or file is None:
            return notice(Notice.UNKNOWN)
        now = self.clock.now()
        if now >= inbound.expires_at:
            return notice(Notice.EXPIRED)
        found = await local_file(self.blobs, file.blob, f"the {file.name} of {inbound}")
        if isinstance(found, Notice):
            return notice(found)
        return file_response(
            _hosted(inbound, file), found.path, stat=found.stat, request=request.headers, method=request.method,
            now=now,
        )  # fmt: skip


def _named(inbound: Inbound, name: str) -> InboundFile | None:
    """The file of exactly that name; nothing else is ever served."""
    return next((file for file in inbound.files if file.name == name), None)


def _hosted(inbound: Inbound, file: InboundFile) -> Hosted:
    return Hosted(
        name=file.name, mime=file.mime, etag=f'"{file.blob[:32]}"', created_at=inbound.received_at,
        expires_at=inbound.expires_at, attach=file.attach, policy=_POLICY,
    )  # fmt: skip
