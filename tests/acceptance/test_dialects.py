"""With only profile files, the same message goes out in each dialect, to whom it is written for."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from mmsgate.carriers.files import shipped
from mmsgate.clock import Ids, SystemClock
from mmsgate.http import HttpClient
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.acceptance.gateway import Customer, Program, Sent, reasons, values

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: The beginning of the numbers that each of them serves, and no other test sends to.
PREFIXES = {name: f"1415556{number:02}" for number, name in enumerate(shipped())}
_CREDENTIALS = {"header-auth": 'value = "mmsgate"', "sinch": "", "no-auth": ""}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phones(
    program: Program, customer: Customer, http: HttpClient, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Simulator]:
    """Every MMSC that the simulator plays, and a gateway that has been told of them by files alone."""
    clock = SystemClock()
    config = SimulatorConfig(mmsc_port=0, smsc_port=0, report_url=f"{program.url}/mm7/{{carrier}}", carrier="3gpp")
    simulator = Simulator(config, poster=http.pool(limit=16), clock=clock, ids=Ids(clock))
    await simulator.start()
    folder = tmp_path_factory.mktemp("profiles")
    files = [profile_file(folder, name, simulator) for name in PREFIXES]
    await imported(program, files)
    await known(customer)
    yield simulator
    await simulator.stop()


def profile_file(folder: Path, name: str, simulator: Simulator) -> Path:
    path = folder / f"{name}.toml"
    credentials = _CREDENTIALS.get(name, 'username = "mmsgate"\npassword = "mmsgate"')
    path.write_text(
        f'base = "{name}"\nname = "{name}"\nendpoints = ["{simulator.mmsc_url}/{name}"]\n'
        f'[auth]\n{credentials}\n[mm7]\nvaspid = "mmsgate"\nvasid = "{{sender}}mms"\n'
        f'[reach]\noperators = []\nprefixes = ["{PREFIXES[name]}"]\n'
    )
    return path


async def imported(program: Program, files: list[Path]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "carrier", "import", *map(str, files), "--data-dir", str(program.data_dir),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def known(customer: Customer) -> None:
    """Until the gateway has seen the profiles."""
    path = f"/limits?to={PREFIXES['xml-type']}55&from=28444"
    async with asyncio.timeout(60):
        while b'"xml-type"' not in (await customer.get(path, X_Api_Key=customer.program.api_key)).body:
            await asyncio.sleep(0.05)  # another process: there is no event to wait on


@pytest.mark.parametrize("name", PREFIXES)
async def test_the_same_message_arrives_in_each_dialect(phones: Simulator, customer: Customer, name: str) -> None:
    to = f"{PREFIXES[name]}55"
    slides = f"<slide>{customer.demo('photo.jpg', 'image')}<message-text>Boats</message-text></slide>"
    sent: Sent = await customer.send(to, slides=slides, more="<message-subject>Lake &amp; boats</message-subject>")
    told = [values(each["body"].encode())["code"] for each in await sent.told(count=2)]
    shown = await sent.until("delivered")
    (message,) = phones.box.after(to=to)
    assert told == ["N101", "N102"]
    assert f"accepted for {name}:" in reasons(shown)
    assert (message.text, message.subject, message.copies) == ("Boats", "Lake & boats", 1)
    assert [part.type for part in message.parts if part.type != "application/smil"] == ["image/jpeg", "text/plain"]
