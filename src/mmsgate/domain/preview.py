"""A preview: what a call would make of its content for every carrier, without sending or storing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mmsgate.domain.account import Account
from mmsgate.domain.message import Content
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.rendition import Limit
from mmsgate.domain.request import Action
from mmsgate.domain.slide import Medium


class Outcome(StrEnum):
    """What a recipient would get."""

    MMS = "mms"
    SMS = "sms"  # the fallback SMS, with its link
    FAILS = "fails"  # nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewDraft:
    """What is previewed: a content that has passed every check of its action.

    `mms_id` is what the customer would know it by: a template's id where the content is a template's, or made of
    it. `operator` is the recipient's, empty where nobody said. `fallback` says whether a fallback SMS may go out.
    `durations` are the numbers (from 1) of the slides on which the request writes one.
    """

    action: Action
    account: Account
    content: Content
    mms_id: int
    operator: str = ""
    fallback: bool
    fallback_text: str
    durations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """What recipients of one operator (empty: unknown) would get from one type of sender.

    `label` names carrier and sender type as the timeline does, `source` says where the limit comes from. `size` is
    in bytes as the limit counts them, None where there is no MMS. `changes` and `reason` are worded as in the
    timeline.
    """

    connection: str
    operator: str
    label: str
    sender_type: SenderType
    limit: Limit
    source: str
    outcome: Outcome
    size: int | None = None
    changes: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A sound or video that can't be used, and the postback that would say so: after the call was accepted."""

    code: PostbackCode
    slide: int
    medium: Medium
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All of it. `seconds` are the lengths of sounds and videos by blob, `warnings` the advice for people."""

    action: Action
    content: Content
    rows: tuple[PreviewRow, ...]
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
