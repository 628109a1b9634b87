"""``mmsgate operator``: the table of operators, prefixes of numbers, and the number cache."""

from pathlib import Path
from typing import Any

import click

from mmsgate.accept.operators import OperatorFinder, ago
from mmsgate.carriers.lookup import Untold, hook_of
from mmsgate.carriers.prefixes import read_prefixes
from mmsgate.cli.output import data_dir_option, out, table, with_store
from mmsgate.clock import SystemClock, spoken
from mmsgate.config import Settings, load
from mmsgate.delivery.alarms import Alarms
from mmsgate.domain.number import parse_msisdn
from mmsgate.domain.operators import OPERATORS, Operator, Operators, check_addition
from mmsgate.http import HttpClient
from mmsgate.store import KnownNumber, Store

_clock = SystemClock()


@click.group()
def operator() -> None:
    """Operators, and whose number it is. A running gateway sees a change within a second."""


@operator.command("list")
@data_dir_option
def list_operators(data_dir: str | None) -> None:
    """The table: every id that means an operator, and how many prefixes it has."""

    async def work(store: Store) -> None:
        prefixes = await store.numbers.prefix_counts()
        rows = table("id", "name", "country", "SPID", "also", "prefixes", "")
        for each in await store.operators.table():
            count = prefixes.get(each.id, 0)
            added = "" if each in OPERATORS else "added"
            rows.add_row(
                each.id, each.name, each.country, each.spid or "-", ", ".join(each.aliases), f"{count:,}", added
            )
        out.print(rows)

    with_store(data_dir, work)


@operator.command()
@click.argument("operator_id", metavar="ID")
@click.argument("name")
@click.option("--country", required=True, help="Two letters (ISO 3166), like GB.")
@click.option("--spid", default="", help="Its older number of seven digits, for the Skycore dialect.")
@click.option("--alias", "aliases", multiple=True, help="Another number that means it (repeatable).")
@data_dir_option
def add(*, operator_id: str, name: str, country: str, data_dir: str | None, **numbers: Any) -> None:
    """Add an operator, or change one that was added."""
    added = Operator(id=operator_id, name=name, country=country.upper(), **numbers)

    async def work(store: Store) -> None:
        try:
            check_addition(added, await store.operators.table())
        except ValueError as error:
            raise click.ClickException(str(error)) from error
        await store.operators.put(added)
        await store.numbers.forget_unknown()  # the lookup may have named it in vain
        out.print(f"{added} is an operator now", highlight=False)

    with_store(data_dir, work)


@operator.command()
@click.argument("operator_id", metavar="ID")
@data_dir_option
def remove(operator_id: str, data_dir: str | None) -> None:
    """Take away an operator that was added. Its numbers and prefixes count no longer."""

    async def work(store: Store) -> None:
        if not await store.operators.remove(operator_id):
            known = (await store.operators.table()).find(operator_id)
            reason = f"{known} is built in" if known in OPERATORS else f"no operator {operator_id!r} was added"
            raise click.ClickException(reason)
        out.print(f"{operator_id} is no operator any more", highlight=False)

    with_store(data_dir, work)


@operator.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir_option
def import_prefixes(file: Path, data_dir: str | None) -> None:
    """Read prefixes from a CSV FILE: prefix,operator-id[,comment]. They take the place of all there were."""

    async def work(store: Store) -> None:
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                prefixes = read_prefixes(lines, await store.operators.table())
        except UnicodeDecodeError:
            raise click.ClickException(f"{file}: it is not UTF-8; nothing was changed") from None
        except ValueError as error:
            raise click.ClickException(f"{file}: {error}\nnothing was changed") from error
        await store.numbers.replace_prefixes(prefixes)
        out.print(f"{len(prefixes):,} prefixes of {len(set(prefixes.values())):,} operators", highlight=False)

    with_store(data_dir, work)


def _number(context: click.Context, parameter: click.Parameter, text: str) -> str:
    number = parse_msisdn(text)
    if number is None:
        raise click.BadParameter("it must be one international number of 8 to 15 digits")
    return number


@operator.command()
@click.argument("number", callback=_number)
@click.option("--fresh", is_flag=True, help="Ask the lookup even if the number cache knows the number.")
@data_dir_option
def lookup(number: str, fresh: bool, data_dir: str | None) -> None:
    """Say what each source knows of NUMBER.

    The lookup is asked if the number cache knows nothing; what it answers is kept.
    """
    settings = load(data_dir=data_dir)

    async def work(store: Store) -> None:
        operators = await store.operators.table()
        known = await store.numbers.get(number, now=_clock.now())
        asked = "not asked, for the number cache knows the number; --fresh asks it"
        if fresh or known is None:
            asked = await _ask(store, number, settings)
        longest = await store.numbers.prefix(number)
        by_prefix = f"{longest[0]} is {operators.find(longest[1]) or longest[1]}" if longest else "none fits"
        out.print(f"number cache  {_told(known, operators)}", highlight=False)
        out.print(f"lookup        {asked}", highlight=False)
        out.print(f"prefixes      {by_prefix}", highlight=False)

    with_store(data_dir, work)


async def _ask(store: Store, number: str, settings: Settings) -> str:
    """What the lookup that is configured says of a number, for people."""
    http = HttpClient()
    hook = hook_of(settings, http=http, clock=_clock, alarms=Alarms(store, _clock))
    if hook is None:
        return "none is configured (the setting lookup_url)"
    await http.start()
    directory = await store.accounts.directory()
    try:
        answer = await OperatorFinder(store, lambda: directory, hook=hook, clock=_clock).look_up(number, hook)
    finally:
        await http.stop()
    return answer.reason if isinstance(answer, Untold) else _told(answer, await store.operators.table())


def _told(known: KnownNumber | None, operators: Operators) -> str:
    """What was told of a number: who it is, whether it takes MMS, since when and for how long."""
    if known is None:
        return "knows nothing of it"
    now = _clock.now()
    who = str(operators.find(known.operator) or known.operator or "an unknown operator")
    mms = "" if known.mms else ", takes no MMS"
    since = f"told by a {known.source.value} {ago(now - known.learnt_at)}"
    return f"{who}{mms}; {since}, good for {spoken(max(known.expires_at - now, 0))} more"


@operator.command()
@click.argument("number", callback=_number)
@data_dir_option
def forget(number: str, data_dir: str | None) -> None:
    """Drop what the number cache knows of NUMBER: the next message to it asks anew."""

    async def work(store: Store) -> None:
        forgotten = await store.numbers.forget(number)
        out.print(
            f"{number} is forgotten" if forgotten else f"the number cache knew nothing of {number}", highlight=False
        )

    with_store(data_dir, work)
