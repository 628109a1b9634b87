"""``mmsgate carrier check`` against the simulator: what a person reads, and the exit status."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mmsgate.clock import Ids, SystemClock
from mmsgate.http import HttpClient
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.cli.conftest import Shell


@dataclass(slots=True)
class Carrier:
    """A simulator in a thread of its own: the commands have a loop of theirs."""

    mmsc_url: str = ""
    smsc_port: int = 0

    def run(self, ready: threading.Event, stop: threading.Event) -> None:
        asyncio.run(self._run(ready, stop))

    async def _run(self, ready: threading.Event, stop: threading.Event) -> None:
        clock, http = SystemClock(), HttpClient()
        await http.start()
        config = SimulatorConfig(mmsc_port=0, smsc_port=0, smpp_system_id="mmsgate", smpp_password="mmsgate")
        simulator = Simulator(config, poster=http.pool(limit=1), clock=clock, ids=Ids(clock))
        await simulator.start()
        self.mmsc_url, self.smsc_port = simulator.mmsc_url, simulator.smsc_port
        ready.set()
        await asyncio.to_thread(stop.wait)
        await simulator.stop()
        await http.stop()


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    running, ready, stop = Carrier(), threading.Event(), threading.Event()
    thread = threading.Thread(target=running.run, args=(ready, stop))
    thread.start()
    assert ready.wait(30)
    yield running
    stop.set()
    thread.join()


def mm7(shell: Shell, url: str, password: str = "mmsgate") -> None:
    path = shell.settings.data_dir / "acme.toml"
    path.write_text(
        f'name = "acme"\nendpoints = ["{url}"]\n[auth]\nusername = "mmsgate"\npassword = "{password}"\n'
        '[mm7]\nvaspid = "mmsgate"\nvasid = "{sender}mms"\n'
    )
    shell.succeeds("carrier", "import", str(path))


def smpp(shell: Shell, port: int, password: str = "mmsgate") -> None:
    path = shell.settings.data_dir / "sms.toml"
    path.write_text(
        f'kind = "smpp"\nname = "sms"\nhost = "127.0.0.1"\nport = {port}\n'
        f'system_id = "mmsgate"\npassword = "{password}"\n'
    )
    shell.succeeds("carrier", "import", str(path))


def test_a_connection_that_works(shell: Shell, carrier: Carrier) -> None:
    mm7(shell, carrier.mmsc_url)
    for _ in range(2):
        said = shell.succeeds("carrier", "check", "acme", "--from", "28444")
        assert f"ok    {carrier.mmsc_url}  TCP: 127.0.0.1 takes connections" in said
        assert "<VASID>28444mms</VASID><SenderAddress><ShortCode>28444</ShortCode>" in said
        assert "--- answered\nHTTP 200" in said
        assert "\nok    " in said
        assert "hint" not in said


def test_a_real_message_goes_to_the_number_that_is_named(shell: Shell, carrier: Carrier) -> None:
    mm7(shell, carrier.mmsc_url)
    said = shell.succeeds("carrier", "check", "acme", "--to", "+1 206 555 0100")
    assert "<Number>12065550100</Number></To>" in said
    assert "look  the recipient was refused: 2002" in shell.fails("carrier", "check", "acme", "--to", "12065550103")
    assert "'nobody' is no number" in shell.fails("carrier", "check", "acme", "--to", "nobody")


def test_wrong_credentials(shell: Shell, carrier: Carrier) -> None:
    mm7(shell, carrier.mmsc_url, password="wrong")
    said = shell.fails("carrier", "check", "acme")
    assert "look  we are refused: HTTP 401: the carrier refuses our credentials" in said
    assert "with a customer's message: it would wait with all others" in said
    assert "hint: credentials: auth.kind, auth.username, auth.password" in said
    assert "wrong" not in said


def test_an_endpoint_that_can_t_be_reached(shell: Shell) -> None:
    mm7(shell, "http://127.0.0.1:9/mm7")
    said = shell.fails("carrier", "check", "acme")
    assert "look  http://127.0.0.1:9/mm7  TCP: nobody listens at port 9" in said
    assert "hint: no endpoint can be reached" in said


def test_an_smsc_that_works(shell: Shell, carrier: Carrier) -> None:
    smpp(shell, carrier.smsc_port)
    said = shell.succeeds("carrier", "check", "sms")
    assert said.splitlines() == [
        f"ok    127.0.0.1:{carrier.smsc_port}  bind: as transceiver",
        "ok    enquire_link: answered",
    ]


def test_an_smsc_that_refuses_us(shell: Shell, carrier: Carrier) -> None:
    smpp(shell, carrier.smsc_port, password="wrong")
    said = shell.fails("carrier", "check", "sms")
    assert "bind: the bind was refused: ESME_R" in said
    assert "hint: system_id and password" in said


def test_an_smsc_that_is_not_there(shell: Shell) -> None:
    smpp(shell, 9)
    assert "hint: host and port" in shell.fails("carrier", "check", "sms")


def test_a_carrier_that_nobody_knows(shell: Shell) -> None:
    assert "there is no carrier 'acme'; carriers: none yet" in shell.fails("carrier", "check", "acme")
