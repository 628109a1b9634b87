"""The operator's port: what it answers, and what happens where it is taken."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from mmsgate.config import Settings
from mmsgate.errors import Fault
from mmsgate.http import Answered, HttpClient, Pool, Timeouts
from mmsgate.observe import Work
from mmsgate.ops import listener as listener_module
from mmsgate.ops.listener import bound
from mmsgate.ops.process import Ops

PATIENCE = Timeouts(connect=5, total=20)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


@pytest.fixture
async def ops() -> AsyncIterator[Ops]:
    async with Ops(Settings(ops_port=0), role="test").running() as running:
        yield running


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    http = HttpClient()
    await http.start()
    yield http.pool(limit=4)
    await http.stop()


async def get(pool: Pool, url: str) -> Answered:
    answer = await pool.get(url, headers={}, timeouts=PATIENCE)
    assert isinstance(answer, Answered), answer
    return answer


async def test_a_process_lives_before_it_is_ready_and_says_which_check_keeps_it(ops: Ops, pool: Pool) -> None:
    async def gone() -> None:
        raise Fault("the store is not open")

    ops.readiness.add("store", gone)
    assert (await get(pool, f"{ops.url}/healthz")).status == 200
    assert (await get(pool, f"{ops.url}/readyz")).status == 503
    ops.readiness.started = True
    answer = await get(pool, f"{ops.url}/readyz")
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "status": "not ready",
        "checks": {"process": "ok", "store": "the store is not open"},
    }


async def test_metrics_are_those_of_this_process_in_the_text_format(ops: Ops, pool: Pool) -> None:
    answer = await get(pool, f"{ops.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert b"\nmmsgate_build_info{version=" in answer.body
    assert b"\nprocess_cpu_seconds_total " in answer.body


async def test_two_processes_in_one_interpreter_count_apart(pool: Pool) -> None:
    settings = Settings(ops_port=0)
    async with Ops(settings, role="api").running() as one, Ops(settings, role="worker").running() as other:
        one.observe(Work.INBOUND, "acme", "mms")
        found = [b"acme" in (await get(pool, f"{each.url}/metrics")).body for each in (one, other)]
    assert found == [True, False]


async def test_a_port_that_was_chosen_and_is_taken_is_an_error_with_the_setting_s_name(taken: int) -> None:
    with pytest.raises(Fault, match=rf"can't listen on 127.0.0.1:{taken}: .*; the setting ops_port names it"):
        bound(Settings(ops_port=taken))


async def test_the_default_port_that_is_taken_is_a_warning_and_the_process_runs_without(
    taken: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener_module, "DEFAULT_OPS_PORT", taken)
    with caplog.at_level(logging.WARNING, "mmsgate.ops"):
        async with Ops(Settings(ops_port=taken), role="test").running() as ops:
            assert ops.url == ""
    assert "no /healthz, /readyz and /metrics here; set ops_port to have them" in caplog.text


async def test_of_two_that_start_at_once_one_gets_the_port() -> None:
    first = bound(Settings(ops_port=0))
    assert first is not None
    try:
        with pytest.raises(Fault, match="ops_port"):
            bound(Settings(ops_port=first.port))
    finally:
        await first.stop()


@pytest.mark.parametrize("settings", [Settings(ops_port=-1), Settings(ops_host="")])
async def test_it_is_switched_off_by_an_empty_host_or_port_minus_one(settings: Settings) -> None:
    async with Ops(settings, role="test").running() as ops:
        assert (ops.listener, ops.url) == (None, "")


async def test_a_busy_loop_is_seen(ops: Ops, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsgate.ops.lag.EVERY", 0.0)
    async with asyncio.timeout(20):
        while b"mmsgate_event_loop_lag_seconds_count 0.0" in (await get(pool, f"{ops.url}/metrics")).body:
            await asyncio.sleep(0)
