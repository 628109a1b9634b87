"""Whom the MMSC plays, chosen by path, by port and on the command line."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator

import pytest
from click.testing import CliRunner

from mmsgate.cli.main import cli
from mmsgate.clock import Ids, SystemClock
from mmsgate.mm7.answer import read_submit_response
from mmsgate.simulator.faces import Door, parse_door
from mmsgate.simulator.personality import PERSONALITIES
from mmsgate.simulator.reports import Poster
from mmsgate.simulator.service import Simulator, SimulatorConfig
from tests.integration.simulator.peer import Endpoint, Response, request, submit
from tests.unit.simulator.submits import Post, flat, golden


@pytest.fixture
async def faces(endpoint: Endpoint, poster: Poster) -> AsyncIterator[Simulator]:
    """A simulator that plays Mbuni, and on two further ports others; its reports go where `{carrier}` says."""
    config = SimulatorConfig(
        mmsc_port=0, smsc_port=0, speed=100, plays="mbuni", carrier="acme",
        doors=(Door(plays="xml-type", port=0), Door(plays="empty-200", port=0)),
        report_url=f"http://127.0.0.1:{endpoint.port}/mm7/{{carrier}}",
    )  # fmt: skip
    clock = SystemClock()
    running = Simulator(config, poster=poster, clock=clock, ids=Ids(clock))
    await running.start()
    yield running
    await running.stop()


def port_of(url: str) -> int:
    found = re.search(r":(\d+)/", url)
    assert found is not None
    return int(found[1])


async def test_plain_mm7_is_strict(port: int) -> None:
    misplaced = flat(more="<Subject>a</Subject><Priority>Low</Priority>")
    response = await submit(port, misplaced)
    assert read_submit_response(200, response.headers, response.body).status_code == 4004


@pytest.mark.parametrize("name", PERSONALITIES)
async def test_every_personality_answers_under_its_path(port: int, name: str) -> None:
    response = await submit(port, Post(content_type="text/xml", body=b"<no xml"), path=f"/mm7/{name}", auth="x:y")
    plays = PERSONALITIES[name]
    expected = plays.rules[0].code or plays.rules[0].http
    answer = read_submit_response(response.status, response.headers, response.body)
    assert expected in (answer.status_code, response.status, 2500)


async def test_an_unknown_personality_is_told_with_those_that_there_are(port: int) -> None:
    response = await submit(port, golden(), path="/mm7/nobody")
    assert response.status == 404
    assert all(f"  {name}: ".encode() in response.body for name in PERSONALITIES)
    assert (await request(port, "/mm7/mbuni")).status == 405


async def test_each_port_plays_its_own(faces: Simulator) -> None:
    main, first, second = (port_of(url) for url in (faces.mmsc_url, *faces.door_urls))
    assert (await submit(main, golden())).headers["server"] == "Kannel/1.4.5"
    assert (await submit(first, golden())).headers["content-type"] == "application/xml"
    assert (await submit(second, golden())).body == b""
    assert (await submit(second, golden(), path="/mm7/xml-type")).headers["content-type"] == "application/xml"
    assert (await request(second, "/sim/")).status == 404
    (message,) = faces.box.after()
    assert message.copies == 4


async def test_reports_go_to_the_carrier_that_took_the_message(faces: Simulator, endpoint: Endpoint) -> None:
    main, first, _ = (port_of(url) for url in (faces.mmsc_url, *faces.door_urls))
    for where, path in ((main, "/mm7"), (first, "/mm7"), (main, "/mm7/utf16")):
        await submit(where, golden(), path=path)
        await endpoint.reports.get()
    assert endpoint.paths == ["/mm7/acme", "/mm7/xml-type", "/mm7/utf16"]


async def test_ports_start_and_stop_with_the_simulator(faces: Simulator) -> None:
    urls = faces.door_urls
    await faces.start()
    assert faces.door_urls == urls
    await faces.stop()
    with pytest.raises(ConnectionRefusedError):
        await submit(port_of(urls[0]), golden())


async def test_a_cut_works_on_every_port(faces: Simulator) -> None:
    assert await submit(port_of(faces.door_urls[0]), golden("12399470108")) == Response()


def test_a_name_with_a_port_is_a_door() -> None:
    assert parse_door("mbuni") == "mbuni"
    assert parse_door("mbuni:8091") == Door(plays="mbuni", port=8091)


@pytest.mark.parametrize("text", ["nobody", "nobody:1", "mbuni:", "mbuni:x", "mbuni:65536", ":1", ""])
def test_what_is_no_door_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"personality|is not like|no port"):
        parse_door(text)
    with pytest.raises(ValueError, match="no personality"):
        SimulatorConfig(plays="nobody")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as", "nobody"), "there is no personality 'nobody'"),
        (("--as", "mbuni:x"), "is not like mbuni or mbuni:8091"),
        (("--as", "mbuni", "--as", "sinch"), "one port plays one of mbuni and sinch"),
        (("--chaos", "cut-boddy=0.1"), "'cut-boddy' is no switch of chaos"),
        (("--chaos", "cut-body=5"), "cut-body must be a probability from 0 to 1, not 5"),
    ],
)
def test_the_command_refuses_what_it_can_not_play(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(cli, ["simulator", *words], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert said in result.output


async def test_the_command_plays_whom_it_is_told_in_the_weather_it_is_told() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsgate", "simulator", "--mmsc-port", "0", "--smsc-port", "0",
        "--as", "utf16", "--as", "mbuni:0", "--chaos", "cut-answer=1", "--seed", "3",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={"COLUMNS": "300"},
    )  # fmt: skip
    assert program.stdout is not None
    try:
        first, second = [(await asyncio.wait_for(program.stdout.readline(), 60)).decode() for _ in range(2)]
        assert second.rstrip().endswith("as mbuni")
        for line in (first, second):
            assert await submit(port_of(line), golden()) == Response()
        chaos = await request(port_of(first), "/sim/chaos")
        assert b'"seed":3' in chaos.body
        await request(port_of(first), "/sim/chaos", method="DELETE")
        answer = await submit(port_of(first), golden())
        assert "utf-16" in answer.headers["content-type"]
    finally:
        program.send_signal(signal.SIGTERM)
        await program.wait()
    assert program.returncode == 0
