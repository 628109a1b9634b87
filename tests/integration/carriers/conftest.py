"""A raw MMSC on loopback, and a client for a profile that leads to it."""

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import ManualClock
from mmsgate.http import AddressPolicy, HttpClient
from mmsgate.mm7.answer import encode_submit_rsp
from tests.integration.http.origin import Exchange, Origin

Clients = Callable[[CarrierProfile], Mm7Client]

ACCEPTED = encode_submit_rsp(transaction_id="42", message_id="m-1")


async def accept(exchange: Exchange) -> None:
    await exchange.answer(ACCEPTED, Content_Type="text/xml")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own: its certificate, and one for a client, as files."""

    ca: trustme.CA
    file: Path
    client: Path

    def server(self, *, demands_a_certificate: bool = False) -> ssl.SSLContext:
        """The TLS side of a server on loopback."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        if demands_a_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    ca = trustme.CA(organization_name="Acme Certificates")
    file, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca.cert_pem.write_to_path(str(file))
    ca.issue_cert("gateway@example.com").private_key_and_cert_chain_pem.write_to_path(str(client))
    return Authority(ca=ca, file=file, client=client)


@pytest.fixture
async def mmsc() -> AsyncIterator[Origin]:
    async with Origin(routes={"/mm7": accept}) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    running = HttpClient(policy=AddressPolicy())
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def client(http: HttpClient, clock: ManualClock) -> AsyncIterator[Clients]:
    """A client for a profile, closed after the test."""
    made: list[Mm7Client] = []

    def make(profile: CarrierProfile) -> Mm7Client:
        made.append(Mm7Client(profile, http, clock))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
