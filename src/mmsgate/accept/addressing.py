"""Whom a message is for and from: the checks that every sending action shares, in the contract's order (6.1)."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from mmsgate.domain.account import Account, Sender
from mmsgate.domain.country import country_of
from mmsgate.domain.number import SenderType, parse_msisdn, undecorated
from mmsgate.domain.operators import Operators
from mmsgate.domain.request import WireDialect
from mmsgate.errors import Refusal

_MASK = re.compile(r"(?=.*[A-Za-z_-])[A-Za-z0-9_-]{1,11}", re.ASCII)  # contract 2.3: not digits only

BlockReason = Callable[[int, str, str], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Recipient and sender of a message that may be sent.

    `operator` is our id for the one that the request names, empty if it names none.
    """

    recipient: str
    sender: Sender
    mask: str
    service_id: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The addressing elements of a request, as written.

    `localised` says that a sender of another country than the recipient's is replaced (sendSavedMMS).
    """

    to: str | None
    sender: str | None
    mask: str | None
    service_id: str | None
    operator_id: str | None
    campaign_ref: str | None
    localised: bool = False


async def check_address(
    wanted: Wanted, account: Account, dialect: WireDialect, block_reason: BlockReason, operators: Operators
) -> Address:
    """The address, or `Refusal`: E201/E110, E114, E111, E115, E627, E650/E651, E714/E715, in this order."""
    recipient = check_recipient(wanted.to, account)
    await check_not_blocked(recipient, sender_number(wanted.sender, account), account, block_reason)
    sender = asked_for = check_sender(wanted.sender, account)
    if wanted.localised and (sender := local_sender(asked_for, recipient, account)) is not asked_for:
        await check_not_blocked(recipient, sender.number, account, block_reason)
    mask = check_mask(wanted.mask, recipient)
    service_id = check_service(wanted.service_id, asked_for, account, dialect)
    operator = check_operator(wanted.operator_id, account, operators)
    check_campaign(wanted.campaign_ref, recipient, account)
    return Address(recipient=recipient, sender=sender, mask=mask, service_id=service_id, operator=operator)


def check_recipient(to: str | None, account: Account) -> str:
    """The recipient's digits: E201 where there is none (R-01), E110 where it is no number (R-17)."""
    if not to:
        raise Refusal("E201")
    recipient = parse_msisdn(to, strict=not normalises(account))
    if recipient is None:
        raise Refusal("E110", detail="to must be one international number of 8 to 15 digits")
    return recipient


async def check_not_blocked(recipient: str, sender: str, account: Account, block_reason: BlockReason) -> None:
    """E114."""
    reason = await block_reason(account.id, sender, recipient)
    if reason:
        raise Refusal("E114", detail=f"the recipient is blocked: {reason}")


def normalises(account: Account) -> bool:
    """Whether numbers may be written with a ``+``, blanks and dashes (R-17)."""
    return account.switches.better(account.switches.normalise_numbers)


def sender_number(number: str | None, account: Account) -> str:
    """The sender as the account's own numbers are written, empty if there is none."""
    return undecorated(number or "") if normalises(account) else number or ""


def check_sender(number: str | None, account: Account) -> Sender:
    """The provisioned sender: E111."""
    sender = account.senders.get(sender_number(number, account))
    if sender is None:
        raise Refusal("E111", detail="from must be a number that is provisioned for this account")
    return sender


def local_sender(sender: Sender, recipient: str, account: Account) -> Sender:
    """The account's default number of the recipient's country, where `sender` is of another (G-40); E111 without.

    Short codes and toll-free numbers are of the countries whose default they are, else of none that we know: then
    they stay. Without default numbers nothing is replaced, but a strict account is refused (contract 6.3).
    """
    defaults = account.default_senders
    if not defaults and not account.switches.literal(None):
        return sender
    there = country_of(recipient)
    local = defaults.get(there, "")
    if local == sender.number or there in (home := _countries(sender, account)) or not home:
        return sender
    if local not in account.senders:
        detail = (
            f"from is of {'/'.join(sorted(home))}, and the account has no default number for {there or 'there'}"
        )
        raise Refusal("E111", detail=detail)
    return account.senders[local]


def _countries(sender: Sender, account: Account) -> set[str]:
    """The countries that a number is of, as far as we know."""
    if sender.type is SenderType.LONG_CODE:
        return {country_of(sender.number)} - {""}
    return {country for country, number in account.default_senders.items() if number == sender.number}


def check_mask(mask: str | None, recipient: str) -> str:
    """The alphanumeric sender (R-29): E115. It is not possible in the USA and ignored there (contract 2.3)."""
    if not mask:
        return ""
    if not _MASK.fullmatch(mask):
        raise Refusal("E115", detail="from-mask has at most 11 characters out of A-Z a-z 0-9 _ -, not digits only")
    return "" if recipient.startswith("1") else mask


def check_service(service_id: str | None, sender: Sender, account: Account, dialect: WireDialect) -> str:
    """The service: E627 where it is missing though demanded (R-03), or not usable with this sender."""
    demanded = account.switches.require_service_id
    if not service_id:
        if dialect is not WireDialect.SKYCORE if demanded is None else demanded:
            raise Refusal("E627", detail="service-id is missing")
        return ""
    if service_id not in sender.services:
        raise Refusal("E627", detail=f"service-id {service_id[:40]!r} is not usable with {sender.number}")
    return service_id


def check_operator(operator_id: str | None, account: Account, operators: Operators) -> str:
    """The operator: E650 where it is missing though demanded, or no integer; E651 where nobody knows it."""
    if not operator_id:
        if account.switches.require_operator_id:
            raise Refusal("E650", detail="operator-id is missing")
        return ""
    if not (operator_id.isascii() and operator_id.isdigit()):
        raise Refusal("E650", detail="operator-id must be an integer")
    operator = operators.find(operator_id)
    if operator is None:
        raise Refusal("E651")
    return operator.id


def check_campaign(reference: str | None, recipient: str, account: Account) -> None:
    """The campaign, where the account enforces it: E714 unknown, E715 recipient not subscribed."""
    if not account.switches.enforce_campaign:
        return
    subscribers: Iterable[str] | None = account.campaigns.get(reference or "")
    if subscribers is None:
        raise Refusal("E714")
    if recipient not in subscribers:
        raise Refusal("E715")
