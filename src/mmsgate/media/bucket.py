"""One bucket of an S3 server: objects by their keys under a prefix, and every error as one sentence.

The only module that knows obstore. Its asynchronous half is not used: work of it that ends late touches the
interpreter from threads of its own, which aborts a process that is about to exit (seen with 0.12). Its synchronous
half, in threads of ours, does not.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from mmsgate.clock import Millis
from mmsgate.media.storage import BlobFault

T = TypeVar("T")

#: Requests under way at once.
AT_ONCE = 32
#: A request that failed is tried again for so long; then the fault is told.
_RETRIES, _RETRY_WITHIN = 3, timedelta(seconds=10)
_CONNECT_WITHIN = timedelta(seconds=5)
_SILENT = timedelta(seconds=20)  # no byte for so long ends a request
_REQUEST_WITHIN = timedelta(minutes=2)  # with its whole body
#: What is sent and read at a time: this much memory, twice, for a file of any size.
PART = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """Where the bucket is. What is empty comes from the AWS_* variables, and of the machine's role.

    `prefix` stands before every key. `endpoint` is a URL; only an explicit one may be plain http.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)

    def __str__(self) -> str:
        under = f", under {self.prefix}/" if self.prefix else ""
        return f"bucket {self.bucket} at {self.endpoint or 'AWS'}{under}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a bucket says of an object. `modified` is by the server's clock."""

    key: str
    size: int
    modified: Millis


class ObjectMissingError(LookupError):
    """There is no such object."""


class Bucket:
    """The bucket. Everything raises BlobFault where the server does not answer or refuses."""

    def __init__(self, settings: BucketSettings) -> None:
        self._settings = settings
        self._store, self._once = _opened(settings), _opened(settings, retries=0)
        self._threads = _threads()

    def __str__(self) -> str:
        return str(self._settings)

    async def check(self) -> None:
        """Does once what will be done all the time. Raises BlobFault with one sentence on what to do."""
        probe = f"probe/{token_hex(8)}"
        try:
            await self.create(probe, b"")
            twice = await self.create(probe, b"")
            await self.head(probe)
            await self.page("probe/", after="", most=1)
            await self.delete(probe)
        except BlobFault as fault:
            what = str(fault).removeprefix(f"the {self} failed: ")
            raise BlobFault(f"the {self} can't be used: {advice(what, self._settings)}") from None
        if twice:
            raise BlobFault(f"the {self} can't be used: the server ignores If-None-Match; it needs a newer one")

    def close(self) -> None:
        """Lets go of the threads, each once its request has ended."""
        ended, self._threads = self._threads, _threads()
        ended.shutdown(wait=False)

    async def create(self, key: str, data: bytes) -> bool:
        """Puts a small object, unless there is one; whether it did."""
        try:
            await self._do(partial(obstore.put, self._store, key, data, mode="create", use_multipart=False))
        except AlreadyExistsError:
            return False
        return True

    async def put(self, key: str, data: bytes | Path) -> None:
        """Puts an object, whether there is one or not. A large file goes in parts, and is there once all are."""
        put = partial(obstore.put, chunk_size=PART, max_concurrency=_PARTS_AT_ONCE)
        await self._do(partial(put, self._store, key, data))

    async def head(self, key: str) -> Found | None:
        try:
            return _found(await self._do(partial(obstore.head, self._store, key)))
        except ObjectMissingError:
            return None

    async def download(self, key: str, file: BinaryIO) -> str:
        """Writes the object into the file; the SHA-256 of its bytes in hex. Raises ObjectMissingError."""
        return await self._do(partial(self._download, key, file))

    async def delete(self, key: str) -> None:
        """Removes an object, if it is there."""
        await self._do(partial(obstore.delete, self._store, key))

    async def delete_once(self, key: str, *, until: float) -> None:
        """As `delete`, but never tried again: after a BlobFault it may be removed, or be so a little later.

        It is not begun after `until`, in seconds of the monotonic clock: it may have to wait for a thread.
        """
        await self._do(partial(self._delete_once, key, until))

    async def page(self, prefix: str, *, after: str, most: int) -> list[Found]:
        """The first objects by order of their keys, from the one after `after` on."""
        return await self._do(partial(self._page, prefix, after, most))

    def _download(self, key: str, file: BinaryIO) -> str:
        digest = hashlib.sha256()
        for piece in obstore.get(self._store, key).stream(min_chunk_size=_PIECE):
            digest.update(piece)
            file.write(piece)
        return digest.hexdigest()

    def _delete_once(self, key: str, until: float) -> None:
        if time.monotonic() > until:
            raise BlobFault(f"the {self} was too slow for a removal")
        obstore.delete(self._once, key)

    def _page(self, prefix: str, after: str, most: int) -> list[Found]:
        objects = obstore.list(self._store, prefix.rstrip("/"), offset=after or None, chunk_size=most)
        return [_found(each) for each in next(iter(objects), ())]

    async def _do(self, request: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _translated, request, str(self))


def _found(meta: "obstore.ObjectMeta") -> Found:
    return Found(key=meta["path"], size=meta["size"], modified=round(meta["last_modified"].timestamp() * 1000))


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3")


def _opened(settings: BucketSettings, *, retries: int = _RETRIES) -> S3Store:
    known: dict[str, Any] = {
        "endpoint": settings.endpoint, "region": settings.region, "access_key_id": settings.access_key,
        "secret_access_key": settings.secret_key,
    }  # fmt: skip
    return S3Store(
        settings.bucket,
        prefix=settings.prefix or None,
        **{name: value for name, value in known.items() if value},
        client_options={
            "connect_timeout": _CONNECT_WITHIN, "read_timeout": _SILENT, "timeout": _REQUEST_WITHIN,
            "user_agent": "mmsgate", **({"allow_http": True} if settings.endpoint.startswith("http://") else {}),
        },
        retry_config={"max_retries": retries, "retry_timeout": _RETRY_WITHIN},
        disable_bulk_delete=True,  # not every S3 has it
    )  # fmt: skip


def _translated(request: Callable[[], T], where: str) -> T:
    """The request's result, its errors as ours."""
    try:
        return request()
    except AlreadyExistsError:
        raise
    except FileNotFoundError as error:
        if _NO_BUCKET in str(error):
            raise BlobFault(f"the {where} failed: {_short(error)}") from None
        raise ObjectMissingError(_short(error)) from None
    except (BaseError, ValueError) as error:
        raise BlobFault(f"the {where} failed: {_short(error)}") from None  # their trail is pages of Rust


def _short(error: Exception) -> str:
    """The first line of an error, without figures that tell nothing, with the code out of the server's XML."""
    text = str(error)
    line = _REQUEST.sub(r"\1: ", text.partition("\n")[0].partition("<")[0]).strip(" :")
    code = re.search(r"<Code>(\w+)</Code>", text)
    return f"{line} ({code[1]})" if code else line


#: How obstore begins: what it did, where, how long it took, how often it was tried.
_REQUEST = re.compile(r"^.*Error performing (\w+(?: request)?)(?:: Error performing \w+)? \S+ in .*? - ")


def advice(fault: str, settings: BucketSettings) -> str:
    """What to do about a fault of the first requests, as one sentence."""
    for sign, sentence in _ADVICE.items():
        if re.search(sign, fault):
            return sentence.format(bucket=settings.bucket)
    return f"{fault}; see that it runs, and that s3_endpoint is its address"


_NO_BUCKET = "NoSuchBucket"
_KEYS = "s3_access_key and s3_secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_ADVICE = {
    "169\\.254\\.|Missing (Secret)?AccessKey": f"there are no keys; set {_KEYS}",
    _NO_BUCKET: "there is no bucket {bucket}; create it, or correct blobs_url",
    "InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|401 Unauthorized": "the server does not "
    f"know the keys; correct {_KEYS}",
    "RequestTimeTooSkewed": "the server's clock and this host's are more than 15 minutes apart; set them",
    "AuthorizationHeaderMalformed|PermanentRedirect|301 Moved": "it is in another region; set s3_region",
    "AccessDenied|403 Forbidden": "the keys may not do what is needed; allow them s3:GetObject, s3:PutObject, "
    "s3:DeleteObject and s3:AbortMultipartUpload on its objects and s3:ListBucket on {bucket}",
    "NotImplemented": "the server does not do what is needed (If-None-Match); it needs a newer one",
}
