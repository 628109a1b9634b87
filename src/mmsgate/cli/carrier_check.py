"""``mmsgate carrier check``: a probe of a connection, and what its answer means."""

import asyncio
from dataclasses import dataclass

import click

from mmsgate.carriers.probe import NOBODY, Caller, Probed, look, probe
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.cli.output import data_dir_option, find_profile, with_store
from mmsgate.clock import SystemClock
from mmsgate.domain.number import SenderType, parse_msisdn
from mmsgate.http import HttpClient
from mmsgate.sms.client import SmscConnection
from mmsgate.store import Store

BIND_WITHIN = 15.0  # seconds
#: Where no account has a number of a kind that the connection takes.
SOME_SENDER = "12345"


@dataclass(frozen=True, slots=True, kw_only=True)
class _From:
    number: str
    kind: SenderType
    service: str = ""


@click.command()
@click.argument("name")
@click.option(
    "--to", default=NOBODY, help="Send a real, short MMS to this number (default: to a number of nobody)."
)
@click.option("--from", "sender", default="", help="The number to send from (default: the first of an account).")
@click.option("--service-id", default="", help="The service, where the VASID depends on it.")
@data_dir_option
def check(name: str, to: str, sender: str, service_id: str, data_dir: str | None) -> None:
    """Try the connection NAME, and explain what it answers. Exit status 1 if it can't be used.

    An MMSC gets a small message to a number that nobody has; an SMSC a bind and an enquire_link.
    """
    recipient = NOBODY if to == NOBODY else parse_msisdn(to)
    if recipient is None:
        raise click.BadParameter(f"{to!r} is no number in international form", param_hint="--to")

    async def work(store: Store) -> bool:
        profile = await find_profile(store, name)
        if isinstance(profile, SmscProfile):
            return await _smsc(profile)
        found = await _sender(store, profile, sender)
        caller = Caller(
            sender=found.number, sender_type=found.kind, service=service_id or found.service, recipient=recipient
        )
        return await _mmsc(profile, caller)

    if not with_store(data_dir, work):
        raise SystemExit(1)


async def _sender(store: Store, profile: CarrierProfile, wanted: str) -> _From:
    """The number that is wanted; else the first of any account that the connection takes."""
    accounts = (await store.accounts.directory()).accounts.values()
    numbers = [sender for account in accounts for sender in account.senders.values()]
    suits = [each for each in numbers if each.type in profile.reach.sender_types and wanted in {"", each.number}]
    if suits:
        services = suits[0].services
        return _From(number=suits[0].number, kind=suits[0].type, service=services[0] if services else "")
    kind = SenderType.SHORT_CODE if len(wanted or SOME_SENDER) <= 6 else SenderType.LONG_CODE
    return _From(number=wanted or SOME_SENDER, kind=kind)


# -- an MMSC


async def _mmsc(profile: CarrierProfile, caller: Caller) -> bool:
    clock, http = SystemClock(), HttpClient()
    reached: dict[str, bool] = {}
    try:
        async for endpoint, step in look(profile, clock=clock):
            _say(step.fine, f"{endpoint}  {step.stage}: {step.text}")
            reached[endpoint] = step.fine
    except ValueError as error:  # a file of auth's is gone
        _say(False, f"auth.{error}")
        return False
    if not any(reached.values()):
        _hint("no endpoint can be reached: is the URL right, and does a firewall let this host through?")
        return False
    await http.start()
    try:
        probed = await probe(profile, caller, http=http, clock=clock)
    finally:
        await http.stop()
    _explain(probed)
    return probed.fine


def _explain(probed: Probed) -> None:
    click.echo(f"\n--- sent\n{probed.sent}\n\n--- answered\n{probed.answer}\n")
    _say(probed.fine, probed.outcome)
    click.echo(f"      with a customer's message: {probed.fate}")
    for hint in probed.hints:
        _hint(hint)


# -- an SMSC


class _NotHere(Exception):  # noqa: N818  # it makes the SMSC keep what belongs to the gateway
    """A receipt or an SMS that came to the probe."""


async def _refuse(*_: object) -> None:
    raise _NotHere("a probe keeps nothing")


async def _smsc(profile: SmscProfile) -> bool:
    connection = SmscConnection(profile.settings(), on_receipt=_refuse, on_inbound=_refuse)
    await connection.start()
    try:
        bound = await _bound(connection)
        _say(bound, f"{profile.host}:{profile.port}  bind: {connection.problem or 'as transceiver'}")
        if not bound:
            _hint(_bind_hint(connection.problem))
            return False
        alive = await connection.alive()
        _say(alive, "enquire_link: " + ("answered" if alive else "no answer"))
        return alive
    finally:
        await connection.stop()


async def _bound(connection: SmscConnection) -> bool:
    """Whether the first try to bind came off: it is not worth waiting for the next."""
    deadline = asyncio.get_running_loop().time() + BIND_WITHIN
    while not connection.bound and asyncio.get_running_loop().time() < deadline:
        if "refused" in connection.problem or "no connection" in connection.problem:
            return False
        await connection.wait_bound(0.1)
    return connection.bound


def _bind_hint(problem: str) -> str:
    if "RALYBND" in problem:
        return "the system_id is bound already: a gateway that runs may hold the only bind that the SMSC allows"
    if "refused" in problem:
        return "system_id and password; some SMSCs want the address of this host on a list"
    return "host and port; or a firewall that does not let this host through"


# -- words


def _say(fine: bool, text: str) -> None:
    click.echo(f"{'ok' if fine else 'look':<6}{text}")


def _hint(text: str) -> None:
    click.echo(f"      hint: {text}")
