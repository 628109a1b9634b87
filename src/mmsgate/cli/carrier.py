"""``mmsgate carrier``: the profiles of carrier connections, from TOML files and back, and whether they work."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from mmsgate.carriers.files import profile_toml, shipped
from mmsgate.carriers.plan import Effect, Step, plan_import
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import Profile, ProfileError, profile_from_json, profile_json
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.cli.carrier_check import check
from mmsgate.cli.output import data_dir_option, find_profile, out, table, with_store
from mmsgate.domain.message import counted
from mmsgate.store import Store

#: An import that changes more settings than this does not list them all.
LISTED = 12


@click.group()
def carrier() -> None:
    """Carrier connections. A running gateway sees a change within a second."""


carrier.add_command(check)


@carrier.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@data_dir_option
def import_files(files: tuple[Path, ...], dry_run: bool, data_dir: str | None) -> None:
    """Take profiles over from TOML FILES: all of them, or none if something is wrong with one."""

    async def work(store: Store) -> None:
        directory = await store.accounts.directory()
        kept, find = directory.profiles, directory.operators.find
        try:
            steps = plan_import(files, kept, environment=os.environ, find_operator=find)
        except ProfileError as error:
            raise click.ClickException("nothing was imported\n" + "\n".join(error.problems)) from error
        changed = [step.profile for step in steps if step.effect is not Effect.UNCHANGED]
        if changed and not dry_run:
            await store.accounts.put_carriers({each.name: profile_json(each) for each in changed})
        for step in steps:
            click.echo(_said(step))
        for note in _notes(steps, kept):
            click.echo(note)

    with_store(data_dir, work)


def _said(step: Step) -> str:
    keys = ", ".join(step.keys[:LISTED])
    more = f" and {counted(len(step.keys) - LISTED, 'other')}" if len(step.keys) > LISTED else ""
    return f"{step.profile.name}: {step.effect}" + (f" ({keys}{more})" if keys else "")


def _notes(steps: Iterable[Step], kept: Iterable[str]) -> Iterable[str]:
    """What does no harm by itself and may be a slip of the pen."""
    names = {step.profile.name for step in steps} | set(kept)
    for step in steps:
        profile = step.profile
        if isinstance(profile, CarrierProfile):
            for sms in profile.reach.sms:
                if sms not in names:
                    yield f"note: {profile.name}: reach.sms is {sms!r}: there is no such profile (yet)"


@carrier.command("list")
@data_dir_option
def list_carriers(data_dir: str | None) -> None:
    """All connections."""

    async def work(store: Store) -> None:
        rows = table("name", "kind", "where", "operators", "prefixes", "priority")
        for name, text in sorted((await store.accounts.directory()).profiles.items()):
            rows.add_row(name, *_row(text))
        out.print(rows)

    with_store(data_dir, work)


def _row(text: str) -> tuple[str, ...]:
    try:
        profile = profile_from_json(text)
    except ProfileError as error:
        return "?", f"can't be used: {error}", "", "", ""
    if isinstance(profile, SmscProfile):
        return "smpp", where(profile), "", "", ""
    reach = profile.reach
    return (
        "mm7", where(profile), ", ".join(sorted(reach.operators)), ", ".join(sorted(reach.prefixes)),
        str(reach.priority),
    )  # fmt: skip


def where(profile: Profile) -> str:
    """Where a connection leads, for people."""
    if isinstance(profile, SmscProfile):
        return f"{profile.host}:{profile.port}"
    first, *others = profile.endpoints
    return first + (f" (and {counted(len(others), 'other')})" if others else "")


@carrier.command()
@click.argument("name")
@click.option("--secrets", is_flag=True, help="Show passwords and other secrets.")
@click.option("--all", "whole", is_flag=True, help="Show settings that have their default, too.")
@data_dir_option
def show(name: str, secrets: bool, whole: bool, data_dir: str | None) -> None:
    """The profile NAME as a TOML file."""

    async def work(store: Store) -> None:
        click.echo(profile_toml(await find_profile(store, name), secrets=secrets, whole=whole), nl=False)

    with_store(data_dir, work)


@carrier.command()
@click.argument("name")
@data_dir_option
def remove(name: str, data_dir: str | None) -> None:
    """Take the profile NAME away. Its messages wait until there is one of that name again, or they expire."""

    async def work(store: Store) -> None:
        if not await store.accounts.remove_carrier(name):
            raise click.ClickException(f"there is no carrier {name!r}")
        waits = name in await store.queue.in_use()
        click.echo(f"removed {name}" + ("; messages wait for it" if waits else ""))

    with_store(data_dir, work)


@carrier.command()
@click.argument("names", nargs=-1)
@click.option(
    "--folder", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go, NAME.toml for each. Secrets are in them.",
)  # fmt: skip
@data_dir_option
def export(names: tuple[str, ...], folder: Path, data_dir: str | None) -> None:
    """Write profiles as TOML files that can be imported again: those of NAMES, or all."""

    async def work(store: Store) -> dict[str, str]:
        kept = names or sorted((await store.accounts.directory()).profiles)
        return {name: profile_toml(await find_profile(store, name), secrets=True) for name in kept}

    texts = with_store(data_dir, work)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        click.echo(path)


@carrier.command()
@click.argument("name", required=False)
def profiles(name: str | None) -> None:
    """The profiles that come with the program, to write `base = "NAME"` into a file; with NAME its settings."""
    if name is None:
        rows = table("name", "what it is for")
        for each in shipped().values():
            rows.add_row(each.name, each.about)
        out.print(rows)
        return
    if name not in shipped():
        raise click.ClickException(f"there is no shipped profile {name!r}; there are {', '.join(shipped())}")
    click.echo(shipped()[name].text, nl=False)
