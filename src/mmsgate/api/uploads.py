"""``POST /media``: upload a file, get a URL that works in this account's requests.

The body is the file; the key comes in ``X-Api-Key``. The answer is
``{"url": "…", "type": "image/jpeg", "kind": "image", "size": 31200}``. Only the account that uploaded a file can
send it. The file is read from the storage, not fetched over HTTP.
"""

import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmsgate.accept.caller import Callers as Accounts
from mmsgate.api.call import BodyTooLarge, Callers, read_body, request_id
from mmsgate.api.messages import refused
from mmsgate.clock import Clock, Ids
from mmsgate.domain.account import Account
from mmsgate.domain.slide import Medium
from mmsgate.errors import Refusal
from mmsgate.http.spool import Spool
from mmsgate.media.intake import Intake, Unfit
from mmsgate.media.storage import BlobFault, BlobStore
from mmsgate.store import Store

log = logging.getLogger("mmsgate.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The endpoint. `base_url` is the gateway's public URL."""

    store: Store
    blobs: BlobStore
    intake: Intake
    accounts: Accounts
    callers: Callers
    base_url: str
    clock: Clock
    ids: Ids

    def routes(self) -> list[Route]:
        return [Route("/media", self.upload, methods=["POST"])]

    async def upload(self, request: Request) -> Response:
        try:
            account = self.accounts.authenticate(
                request.headers.get("x-api-key", ""), self.callers.address(request)
            )
            body = await read_body(request, account.source_limits.video)
        except Refusal as refusal:
            return refused(refusal)
        except BodyTooLarge as error:
            return JSONResponse({"status": "failure", "detail": str(error)}, status_code=413)
        try:
            medium = await self._admit(body, account)
        except BlobFault:
            log.exception("request %s: an upload could not be kept", request_id(request))
            return refused(Refusal("E503"))
        if isinstance(medium, Unfit):
            return refused(Refusal(medium.code, slide=1, detail=medium.reason))
        url = await self._keep(account, medium)
        told = {"url": url, "type": medium.mime, "kind": medium.kind.value, "size": medium.size}
        return JSONResponse(told, status_code=201)

    async def _admit(self, body: bytes, account: Account) -> Medium | Unfit:
        """Check the file like one that was fetched, and store it."""
        spool = Spool(self.blobs.incoming)
        await spool.take(body)
        path, digest = await spool.finish()
        kept = await self.intake.admit(
            path, size=len(body), sha256=digest, limits=account.source_limits.pictures, owner=str(account.id)
        )
        if isinstance(kept, Unfit):
            return kept
        return Medium(
            kind=kept.type.kind, blob=kept.blob, mime=kept.type.mime, size=kept.size, width=kept.width,
            height=kept.height,
        )  # fmt: skip

    async def _keep(self, account: Account, medium: Medium) -> str:
        token = self.ids.token()
        await self.store.media.put_upload(token, account.id, medium, at=self.clock.now())
        return f"{self.base_url}/media/{token}"
