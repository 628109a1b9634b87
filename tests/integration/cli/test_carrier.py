"""``mmsgate carrier``: files in, all or none; profiles out; and a gateway that runs sees it."""

import asyncio
import json
import os
import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from mmsgate.carriers.files import MASK, shipped
from mmsgate.cli.carrier import LISTED
from mmsgate.cli.main import cli
from mmsgate.store import Store
from mmsgate.watch import LOOK_EVERY
from tests.integration.api.conftest import Api
from tests.integration.cli.conftest import Shell

ACME = """
base = "mbuni"
name = "acme"
endpoints = ["https://mmsc.acme.example/mm7"]
[auth]
username = "lakeclub"
password = { env = "ACME_PASSWORD" }
[reach]
operators = ["0001470"]
sms = "acme-sms"
"""
SMS = 'kind = "smpp"\nname = "acme-sms"\nhost = "smsc.acme.example"\nport = 2775\n'


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files, as arguments."""
    monkeypatch.setenv("ACME_PASSWORD", "hidden")
    files = tmp_path / "files"
    files.mkdir()
    for name, text in {"acme": ACME, "acme-sms": SMS}.items():
        (files / f"{name}.toml").write_text(text)
    return [str(files / "acme.toml"), str(files / "acme-sms.toml")]


def kept(shell: Shell) -> dict[str, str]:
    async def profiles(store: Store) -> dict[str, str]:
        return (await store.accounts.directory()).profiles

    return shell.store(profiles)


def test_files_are_imported_and_it_says_what_is_new_changed_and_unchanged(shell: Shell, acme: list[str]) -> None:
    assert shell.succeeds("carrier", "import", *acme) == "acme: new\nacme-sms: new\n"
    assert shell.succeeds("carrier", "import", *acme) == "acme: unchanged\nacme-sms: unchanged\n"
    Path(acme[0]).write_text(ACME + "[pace]\nrate = 5\n[reports]\nwait = '2 days'")
    assert (
        shell.succeeds("carrier", "import", *acme)
        == "acme: changed (pace.rate, reports.wait)\nacme-sms: unchanged\n"
    )
    found = json.loads(kept(shell)["acme"])
    assert found["auth"]["password"] == "hidden"
    assert (found["reach"]["operators"], found["reports"]["swapped"]) == (["31002"], True)


def test_nothing_is_imported_if_one_file_is_wrong(shell: Shell, acme: list[str]) -> None:
    Path(acme[1]).write_text(SMS + "prot = 1\n")
    said = shell.fails("carrier", "import", *acme)
    assert "nothing was imported" in said
    assert f"{acme[1]}: prot is no setting; did you mean port?" in said
    assert kept(shell) == {}


def test_a_typo_is_told_with_its_line(shell: Shell, acme: list[str]) -> None:
    Path(acme[0]).write_text('name = "acme"\nendpoints = [\n"https://a.example/" "b"]\n')
    assert f"{acme[0]}:3:" in shell.fails("carrier", "import", acme[0])


def test_two_carriers_can_t_claim_one_prefix(shell: Shell, tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f'name = "{name}"\nendpoints = ["https://{name}.example/"]\n[reach]\nprefixes = ["1206"]\n'
        (tmp_path / f"{name}.toml").write_text(text)
    shell.succeeds("carrier", "import", str(tmp_path / "one.toml"))
    said = shell.fails("carrier", "import", str(tmp_path / "two.toml"))
    assert "one and two both claim 1206 with priority 0" in said
    assert set(kept(shell)) == {"one"}


def test_a_dry_run_changes_nothing(shell: Shell, acme: list[str]) -> None:
    assert "acme: new" in shell.succeeds("carrier", "import", "--dry-run", *acme)
    assert kept(shell) == {}


def test_an_sms_connection_that_is_not_there_is_noted(shell: Shell, acme: list[str]) -> None:
    assert "note: acme: reach.sms is 'acme-sms'" in shell.succeeds("carrier", "import", acme[0])


def test_a_long_list_of_changes_is_cut(shell: Shell, acme: list[str]) -> None:
    shell.succeeds("carrier", "import", *acme)
    many = '[mm7]\nid_brackets = false\nlayout = "flat"\nencoding = "base64"\nvasid = "x"\nprefix = "bare"\n'
    many += 'sender_plus = true\npart_names = false\nstart = "none"\nexpiry = "none"\nsubject = "strip"\n'
    Path(acme[0]).write_text(ACME + many + 'recipient = "plmn"\n[pace]\nrate = 1\nburst = 3\nconnections = 4\n')
    said = shell.succeeds("carrier", "import", acme[0])
    assert said.splitlines()[0].endswith(" and 2 others)")
    assert said.splitlines()[0].count(",") == LISTED - 1


def test_profiles_are_listed(shell: Shell, acme: list[str]) -> None:
    shell.succeeds("carrier", "import", *acme)
    rows = [line.split() for line in shell.succeeds("carrier", "list").splitlines()]
    assert rows[1] == ["acme", "mm7", "https://mmsc.acme.example/mm7", "31002", "0"]
    assert rows[2] == ["acme-sms", "smpp", "smsc.acme.example:2775"]


def test_a_profile_is_shown_as_a_file_with_its_secrets_masked(shell: Shell, acme: list[str]) -> None:
    shell.succeeds("carrier", "import", *acme)
    shown = tomllib.loads(shell.succeeds("carrier", "show", "acme"))
    assert shown["auth"] == {"username": "lakeclub", "password": MASK}
    assert "pace" not in shown
    shown = tomllib.loads(shell.succeeds("carrier", "show", "acme", "--secrets", "--all"))
    assert shown["auth"]["password"] == "hidden"
    assert shown["pace"]["timeout"] == "1 min"
    assert "there is no carrier 'acne'; carriers: acme, acme-sms" in shell.fails("carrier", "show", "acne")


def test_exported_profiles_can_be_imported_again(shell: Shell, acme: list[str], tmp_path: Path) -> None:
    shell.succeeds("carrier", "import", *acme)
    before = kept(shell)
    folder = tmp_path / "out"
    written = shell.succeeds("carrier", "export", "--folder", str(folder)).split()
    assert [Path(each).name for each in written] == ["acme.toml", "acme-sms.toml"]
    assert {stat.S_IMODE(Path(each).stat().st_mode) for each in written} == {0o600}
    for name in before:
        shell.succeeds("carrier", "remove", name)
    assert kept(shell) == {}
    shell.succeeds("carrier", "import", *written)
    assert kept(shell) == before


def test_removing_what_is_not_there_fails(shell: Shell) -> None:
    assert "there is no carrier 'acme'" in shell.fails("carrier", "remove", "acme")


def test_the_shipped_profiles_say_what_they_are_for(shell: Shell) -> None:
    def run(*words: str) -> str:
        return CliRunner().invoke(cli, ["carrier", "profiles", *words], env={"COLUMNS": "300"}).output

    listed = run()
    assert all(name in listed for name in shipped())
    assert "HTTP Basic, content nested" in listed
    assert tomllib.loads(run("mbuni"))["reports"] == {"swapped": True}
    assert "there is no shipped profile 'x'; there are 3gpp" in run("x")


async def test_a_running_gateway_uses_an_imported_profile_at_its_next_look(
    api: Api,
    tmp_path: Path,
) -> None:
    path = tmp_path / "late.toml"

    async def run(*words: str) -> None:
        arguments = ["carrier", *words, "--data-dir", str(api.gateway.settings.data_dir)]
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
        assert result.exit_code == 0, result.output

    async def until(connections: int | None) -> None:
        async with asyncio.timeout(30):
            while connections != (late.pace.connections if (late := api.gateway.profiles.get("late")) else None):
                await asyncio.sleep(0.01)

    umask = os.umask(0o077)
    for connections in (3, 4):
        path.write_text(
            f'name = "late"\nendpoints = ["http://127.0.0.1:9/mm7"]\n[reach]\noperators = ["31005"]\n'
            f"[pace]\nconnections = {connections}\n"
        )
        await run("import", str(path))
        await until(connections)
    assert "late" in api.gateway.dispatcher.connections
    await run("remove", "late")
    await until(None)
    assert "late" not in api.gateway.dispatcher.connections
    assert LOOK_EVERY < 1
    os.umask(umask)
