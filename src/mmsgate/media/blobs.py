"""The blob storage that the settings name."""

from urllib.parse import urlsplit

from mmsgate.clock import Clock
from mmsgate.config import ConfigFault, Settings
from mmsgate.media.storage import BlobStore, FileBlobStore


def open_blobs(settings: Settings, clock: Clock) -> BlobStore:
    """Files in the data folder, or S3 where `blobs_url` says so. To be started.

    Raises ConfigFault for half a key. obstore is loaded only for S3: it starts threads of its own.
    """
    memory = settings.memory_cache_bytes // 2  # the other half is the encoder's
    if not settings.blobs_url:
        return FileBlobStore(settings.blobs, clock=clock, cache_size=memory)
    if bool(settings.s3_access_key) != bool(settings.s3_secret_key):
        raise ConfigFault("s3_access_key and s3_secret_key go together: one of them is empty")
    from mmsgate.media.bucket import Bucket, BucketSettings
    from mmsgate.media.copies import Copies
    from mmsgate.media.s3 import S3BlobStore

    url = urlsplit(settings.blobs_url)
    bucket = Bucket(
        BucketSettings(
            bucket=url.netloc, prefix=url.path.strip("/"), endpoint=settings.s3_endpoint,
            region=settings.s3_region, access_key=settings.s3_access_key, secret_key=settings.s3_secret_key,
        )
    )  # fmt: skip
    copies = Copies(settings.blob_copies, limit=settings.s3_cache_bytes, clock=clock)
    return S3BlobStore(bucket, copies, clock=clock, cache_size=memory)
