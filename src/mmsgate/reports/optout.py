"""What follows from the words of an inbound message: entries of block lists, and one SMS in answer (R-22).

The answer is a message of its own kind: an SMS from its birth on, without content and without postbacks. It goes
through the SMSC's lane like any fallback SMS, is retried like one, and no block list stops it.
"""

from dataclasses import dataclass, replace

from mmsgate.clock import DAY, Ids, Millis
from mmsgate.domain.account import Account, Block, BlockOrigin
from mmsgate.domain.inbound import Inbound, keyword_of
from mmsgate.domain.message import Event, Fallback, Message
from mmsgate.domain.number import parse_msisdn
from mmsgate.domain.optout import Intent, intent_of
from mmsgate.domain.postback import SentAs
from mmsgate.domain.request import WireDialect
from mmsgate.domain.state import State
from mmsgate.store.accounts import Directory
from mmsgate.store.inbound import Reply

#: Whoever wrote STOP should not be answered much later.
REPLY_LIFE: Millis = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """The message as its account's, and what follows from it; `note` says in words what does not, and why."""

    inbound: Inbound
    blocks: tuple[Block, ...] = ()
    reply: Reply | None = None
    note: str = ""


def consequence(
    message: Inbound, account: Account, directory: Directory, *, sms: str, ids: Ids, at: Millis
) -> Consequence:
    """What a message to that account means. `sms` is the SMSC's connection for an answer, empty for none."""
    keyword = keyword_of(account, message.recipient, (message.subject, message.text))
    intent = intent_of(message.words) if account.heeds_words(message.recipient) else None
    if intent is Intent.HELP and keyword:
        intent = None  # the account has a keyword HELP or INFO: it answers by itself
    owned = replace(message, account_id=account.id, keyword=keyword, intent=intent)
    if intent is None:
        return Consequence(inbound=owned)
    if parse_msisdn(message.sender) is None:
        return Consequence(inbound=owned, note=f"{intent}: nothing done, its sender has no number")
    blocks = _blocks(owned, directory) if intent is not Intent.HELP else ()
    text = account.optout.answer(intent, message.recipient).strip()
    if text and not sms:
        return Consequence(inbound=owned, blocks=blocks, note=f"{intent}: not answered, there is no SMS connection")
    reply = _reply(owned, account, text, sms=sms, ids=ids, at=at) if text else None
    return Consequence(inbound=owned, blocks=blocks, reply=reply)


def _blocks(message: Inbound, directory: Directory) -> tuple[Block, ...]:
    """On the block list of that number, for every account that has it: the phone knows nothing of accounts."""
    word = message.words.strip()[:20]
    return tuple(
        Block(
            account_id=owner.id, sender=message.recipient, number=message.sender, origin=BlockOrigin.PHONE,
            reason=f"opted out with {word!r} by {message.kind.upper()}",
        )
        for owner in directory.owners_of(message.recipient)
        if owner.heeds_words(message.recipient)
    )  # fmt: skip


def _reply(message: Inbound, account: Account, text: str, *, sms: str, ids: Ids, at: Millis) -> Reply:
    sender = account.senders[message.recipient]
    reply = Message(
        id=ids.number(), tracking_id=ids.tracking(), account_id=account.id, mms_id=0, content_id=0,
        dialect=WireDialect.KEBAB, sender=sender.number, sender_type=sender.type, sender_mask="",
        recipient=message.sender, operator=message.operator, service_id="",
        fallback=Fallback(enabled=True, text=text, link=False, token="", expires_at=at + REPLY_LIFE),
        accepted_at=at, expires_at=at + REPLY_LIFE, connection=sms, state=State.FALLBACK, sent_as=SentAs.SMS,
        due_at=at, updated_at=at,
    )  # fmt: skip
    reason = f"an SMS of the gateway's own: the answer to {message.intent} ({message.tracking_id})"
    return Reply(message=reply, event=Event(at=at, happening=None, state=reply.state, reason=reason))
