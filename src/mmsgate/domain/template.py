"""Templates: content that was saved once (saveMMS) to be sent to many (sendSavedMMS)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mmsgate.clock import Millis
from mmsgate.domain.merge import merged
from mmsgate.domain.slide import Slide


class TemplateState(StrEnum):
    """Whether a template can be sent."""

    PREPARING = "preparing"  # its audio or video is being transcoded: E626
    READY = "ready"
    DEAD = "dead"  # a medium could not be transcoded: E241; it stays listed until it is deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One saved MMS. Its slides, name and subject are the content of the same id.

    The three about the fallback SMS are the template's defaults, None where the customer said nothing: a request's
    own come before them, the account's after them. `size` is the bytes of the files and texts. `reason` is why one
    that is dead can't be sent.
    """

    id: int
    account_id: int
    state: TemplateState
    size: int
    created_at: Millis
    fallback_text: str | None = None
    disable_fallback: bool | None = None
    disable_fallback_link: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What one recipient gets instead of the template's own: a subject, texts by slide (from 1), values of tags."""

    subject: str | None = None
    texts: Mapping[int, str] | None = None
    data: Mapping[str, str] | None = None

    def of_slides(self, slides: tuple[Slide, ...]) -> tuple[Slide, ...]:
        """The slides with their custom texts and every merge tag filled; the same object if nothing differs."""
        texts = self.texts or {}
        changed = tuple(self._of_slide(slide, texts.get(number)) for number, slide in enumerate(slides, 1))
        return slides if changed == slides else changed

    def _of_slide(self, slide: Slide, custom: str | None) -> Slide:
        text = self.of_text(slide.text if custom is None else custom)
        return slide if text == slide.text else replace(slide, text=text)

    def of_text(self, text: str) -> str:
        """A text with every merge tag filled."""
        return merged(text, self.data or {})
