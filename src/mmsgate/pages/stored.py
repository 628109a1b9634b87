"""Pages as the store has them."""

from mmsgate.domain.rendition import PAGE, Version
from mmsgate.pages.page import Page
from mmsgate.store import Store


class StoredPages:
    """The store's pages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, token: str) -> Page | None:
        """The page of a token; None if there is none."""
        row = await self._store.messages.page(token)
        if row is None:
            return None
        best = await self._store.renditions.get(
            row.base_id, PAGE.key
        )  # where browsers don't show the files themselves
        slides = best.of(row.content.slides) if isinstance(best, Version) else row.content.slides
        return Page(
            token=token, subject=row.content.subject, slides=slides, created_at=row.created_at,
            expires_at=row.expires_at, account_id=row.content.account_id,
        )  # fmt: skip
