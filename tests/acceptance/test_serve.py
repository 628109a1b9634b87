"""``mmsgate serve`` that can't start: one clear line, status 1, and nothing of a gateway that runs is touched."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from mmsgate.store import Store
from tests.acceptance.gateway import Customer, Program

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


async def refused(data_dir: Path, *arguments: str, **environment: str) -> str:
    """The one line that a serve which can't start says."""
    ports = {f"MMSGATE_{name}_PORT": "0" for name in ("SIMULATOR_MMSC", "SIMULATOR_SMSC", "OPS")}
    whole = {**os.environ, **ports, **environment}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "serve", "--data-dir", str(data_dir), "--port", "0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=whole,
    )  # fmt: skip
    output, _ = await process.communicate()
    said = output.decode().splitlines()
    assert (process.returncode, len(said)) == (1, 1), "\n".join(said)
    assert said[0].startswith("mmsgate: ")
    return said[0]


async def profiles(program: Program) -> dict[str, str]:
    store = Store(program.data_dir / "mmsgate.db")
    await store.start()
    try:
        return (await store.accounts.directory()).profiles
    finally:
        await store.stop()


async def test_a_second_gateway_on_the_same_folder_leaves_the_first_one_alone(
    program: Program, customer: Customer
) -> None:
    before = await profiles(program)
    assert "another mmsgate runs with the data folder" in await refused(program.data_dir, "--demo")
    assert await profiles(program) == before
    sent = await customer.send("12065550100")
    await sent.until("delivered")


async def test_a_port_of_the_smsc_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = await refused(tmp_path, "--demo", MMSGATE_SIMULATOR_SMSC_PORT=port)
    assert f"can't listen on 127.0.0.1:{port} for SMPP: Address already in use" in said


async def test_an_operators_port_that_was_chosen_and_is_taken_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = await refused(tmp_path, MMSGATE_OPS_PORT=port)
    assert f"can't listen on 127.0.0.1:{port}: Address already in use; the setting ops_port names it" in said


async def test_a_setting_of_no_use_is_named(tmp_path: Path) -> None:
    said = await refused(tmp_path, MMSGATE_TRUSTED_PROXIES="foo")
    assert (
        said == 'mmsgate: the setting trusted_proxies can\'t be ["foo"]: it is a list of networks like 10.0.0.0/8'
    )


async def test_what_it_writes_is_its_owners_alone(program: Program, customer: Customer) -> None:
    sent = await customer.send("12065550100", slides=f"<slide>{customer.demo('photo.jpg', 'image')}</slide>")
    await sent.until("delivered")
    written = list(program.data_dir.rglob("*"))
    assert {"mmsgate.db", "mmsgate.db-wal", "blobs", "url", "demo-api-key"} <= {path.name for path in written}
    assert [path for path in written if path.stat().st_mode & 0o077] == []
