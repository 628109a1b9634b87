"""The MM7 client on the wire: who we say we are, where it goes, and when the next endpoint is tried."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.client import Exchange, Mm7Client
from mmsgate.carriers.endpoints import STAY
from mmsgate.carriers.outcome import Accepted, Temporary, Unknown
from mmsgate.carriers.profile import Auth, AuthKind, CarrierProfile
from mmsgate.carriers.tls import client_context
from mmsgate.clock import ManualClock
from mmsgate.http import Answered, Lost, NotSent
from mmsgate.mm7.dialect import Dialect
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.request import read_request
from tests.integration.carriers.conftest import Authority, Clients
from tests.integration.http.origin import Exchange as Request
from tests.integration.http.origin import Origin
from tests.unit.builders import a_message
from tests.unit.mm7.samples import REQUEST, encoded


def profile(*endpoints: str, auth: Auth | None = None, mm7: Dialect | None = None) -> CarrierProfile:
    return CarrierProfile(
        name="acme", endpoints=endpoints, auth=auth or Auth(), mm7=mm7 or Dialect(vaspid="v", vasid="{service}")
    )


async def exchange(client: Mm7Client, operator: str = "") -> Exchange:
    return await client.exchange(REQUEST, encoded(), operator=operator)


def dead_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# -- who we are


async def test_basic_credentials_go_with_the_first_request(mmsc: Origin, client: Clients) -> None:
    auth = Auth(username="u", password="pässword")
    await exchange(client(profile(mmsc.url("/mm7"), auth=auth)))
    assert mmsc.seen[0].headers["authorization"] == "Basic dTpww6Rzc3dvcmQ="


async def test_a_header_of_the_carrier_s_own(mmsc: Origin, client: Clients) -> None:
    auth = Auth(kind=AuthKind.HEADER, header="X-Api-Key", value="k 1", username="u")
    await exchange(client(profile(mmsc.url("/mm7"), auth=auth)))
    assert mmsc.seen[0].headers["x-api-key"] == "k 1"
    assert "authorization" not in mmsc.seen[0].headers


@pytest.mark.parametrize("auth", [Auth(), Auth(kind=AuthKind.NONE, username="u", password="p")])
async def test_the_vaspid_may_be_all_that_says_who_we_are(mmsc: Origin, client: Clients, auth: Auth) -> None:
    await exchange(client(profile(mmsc.url("/mm7"), auth=auth)))
    assert "authorization" not in mmsc.seen[0].headers
    assert b"<VASPID>v</VASPID>" in mmsc.seen[0].body


async def test_a_carrier_of_its_own_authority_gets_our_certificate(authority: Authority, client: Clients) -> None:
    async with Origin(tls=authority.server(demands_a_certificate=True)) as mmsc:
        mmsc.routes["/mm7"] = accept_over_tls
        auth = Auth(certificate=str(authority.client), authorities=str(authority.file))
        done = await exchange(client(profile(mmsc.url("/mm7"), auth=auth)))
    assert isinstance(done.posted, Answered)


async def test_without_our_certificate_that_carrier_takes_nothing(authority: Authority, client: Clients) -> None:
    async with Origin(tls=authority.server(demands_a_certificate=True)) as mmsc:
        done = await exchange(client(profile(mmsc.url("/mm7"), auth=Auth(authorities=str(authority.file)))))
    assert not isinstance(done.posted, Answered)
    assert mmsc.seen == []


async def test_an_authority_that_nobody_named_is_not_trusted(authority: Authority, client: Clients) -> None:
    async with Origin(tls=authority.server()) as mmsc:
        done = await exchange(client(profile(mmsc.url("/mm7"))))
    assert done.posted == NotSent(reason="the TLS certificate is not valid for the host")


async def accept_over_tls(request: Request) -> None:
    secured = request.writer.get_extra_info("ssl_object")
    assert secured.getpeercert()["subjectAltName"] == (("email", "gateway@example.com"),)
    await request.answer(b"")


@pytest.mark.parametrize("broken", ["certificate", "authorities"])
def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path, authority: Authority, broken: str) -> None:
    (tmp_path / "text").write_text("hello")
    auth = replace(Auth(certificate=str(authority.client)), **{broken: str(tmp_path / "text")})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{broken}: {tmp_path}/text"):
        client_context(auth)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path, authority: Authority) -> None:
    from cryptography.hazmat.primitives import serialization as pem

    leaf = authority.ca.issue_cert("gateway@example.com")
    key = pem.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.TraditionalOpenSSL, pem.BestAvailableEncryption(b"secret")
    )
    (tmp_path / "key.pem").write_bytes(locked)
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    with pytest.raises(ValueError, match=r"^certificate: .*a key with a password"):
        client_context(Auth(certificate=str(tmp_path / "cert.pem"), key=str(tmp_path / "key.pem")))


# -- what a request says


async def test_a_message_s_operator_and_service_reach_the_carrier(mmsc: Origin, client: Clients) -> None:
    dialect = Dialect(
        vaspid="v", vasid="{service}", carrier_header="X-Carrier", carrier_ids=(("31002", "0001470"),)
    )
    connection = client(profile(mmsc.url("/mm7"), mm7=dialect))
    for operator in ("31002", "31003", ""):
        sent = a_message(operator=operator, service_id="32113")
        assert isinstance(await connection.submit(sent, encoded(), "Hello"), Accepted)
    assert [each.headers.get("x-carrier") for each in mmsc.seen] == ["0001470", "31003", None]
    submit = read_request(mmsc.seen[0].headers["content-type"], mmsc.seen[0].body)
    assert isinstance(submit, SubmitReqReceived)
    assert (submit.vasid, submit.transaction_id) == ("32113", sent.transaction_id)


# -- where it goes


async def test_the_next_endpoint_is_tried_when_one_can_t_be_reached(mmsc: Origin, client: Clients) -> None:
    dead = f"http://127.0.0.1:{dead_port()}/mm7"
    done = await exchange(client(profile(dead, mmsc.url("/mm7"))))
    assert (done.endpoint, type(done.posted)) == (mmsc.url("/mm7"), Answered)


async def test_an_endpoint_that_answers_badly_is_the_carrier_s_word(mmsc: Origin, client: Clients) -> None:
    async def busy(request: Request) -> None:
        await request.answer(b"", status=503)

    mmsc.routes["/busy"] = busy
    done = await exchange(client(profile(mmsc.url("/busy"), mmsc.url("/mm7"))))
    assert done.endpoint == mmsc.url("/busy")
    assert mmsc.hits["/mm7"] == 0


async def test_a_body_that_may_have_arrived_goes_to_no_other_endpoint(mmsc: Origin, client: Clients) -> None:
    async def hang_up(request: Request) -> None:
        request.hang_up()

    mmsc.routes["/cut"] = hang_up
    connection = client(profile(mmsc.url("/cut"), mmsc.url("/mm7")))
    assert isinstance((await exchange(connection)).posted, Lost)
    assert isinstance(await connection.submit(a_message(), encoded(), ""), Unknown)
    assert mmsc.hits["/mm7"] == 0


async def test_where_none_can_be_reached_it_is_a_matter_of_time(client: Clients) -> None:
    dead = [f"http://127.0.0.1:{dead_port()}/{number}" for number in range(2)]
    outcome = await client(profile(*dead)).submit(a_message(), encoded(), "")
    assert isinstance(outcome, Temporary)
    assert outcome.text.startswith("not sent: no connection")


async def test_the_endpoint_that_took_over_stays_in_front_for_a_while(
    mmsc: Origin, client: Clients, clock: ManualClock
) -> None:
    async def broken(request: Request) -> None:
        await request.answer(b"", status=500)

    port = dead_port()
    connection = client(profile(f"http://127.0.0.1:{port}/mm7", mmsc.url("/mm7")))
    assert (await exchange(connection)).endpoint == mmsc.url("/mm7")
    first = Origin(routes={"/mm7": broken}, port=port)
    async with first:
        assert (await exchange(connection)).endpoint == mmsc.url("/mm7")
        assert first.hits["/mm7"] == 0
        clock.advance(STAY)
        assert (await exchange(connection)).endpoint == first.url("/mm7")
        assert (await exchange(connection)).endpoint == first.url("/mm7")
