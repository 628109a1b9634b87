"""The ids that go with the work: on which lines of the log they stand, and on which no longer."""

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest

from mmsgate.cli import logs
from mmsgate.trail import Trail, about, present


def ids() -> tuple[str, str] | None:
    trail = present()
    return (trail.request_id, trail.tracking_id) if trail else None


def test_a_trail_holds_inside_and_the_one_around_it_afterwards() -> None:
    assert ids() is None
    with Trail(request_id="r1"):
        with Trail(tracking_id="t1"):
            assert ids() == ("", "t1")
        assert ids() == ("r1", "")
    assert ids() is None


def test_what_a_request_turns_out_to_be_about_stays_known_to_its_end() -> None:
    async def deeper() -> None:
        about("t1")

    async def request() -> tuple[str, str] | None:
        with Trail(request_id="r1"):
            await asyncio.create_task(deeper())
            return ids()

    assert asyncio.run(request()) == ("r1", "t1")


def test_a_task_that_outlives_the_request_that_made_it_carries_nothing_of_it() -> None:
    async def lives_on(go: asyncio.Event) -> tuple[str, str] | None:
        await go.wait()
        return ids()

    async def scenario() -> tuple[str, str] | None:
        go = asyncio.Event()
        with Trail(request_id="r1", tracking_id="t1"):
            task = asyncio.create_task(lives_on(go))
            await asyncio.sleep(0)
        go.set()
        return await task

    assert asyncio.run(scenario()) == ("", "")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The root's handlers and the levels are put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("mmsgate")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def test_a_line_of_json_has_the_ids_of_the_work_as_fields_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logging("info", "json")
    log = logging.getLogger("mmsgate.test")
    with Trail(request_id="r1"):
        log.info("before it is known")
        about("t1")
        log.info('said "so" to %s', "12•••••0100")
    log.info("afterwards")
    first, second, third = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["request_id"], "tracking_id" in first) == ("r1", False)
    assert (second["request_id"], second["tracking_id"]) == ("r1", "t1")
    assert second["text"] == 'said "so" to 12•••••0100'
    assert set(third) == {"time", "level", "logger", "text"}


def test_a_trail_of_an_exception_stays_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logging("info", "json")
    with Trail(tracking_id="t1"):
        try:
            int("of two\nlines")
        except ValueError:
            logging.getLogger("mmsgate.test").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal for int() with base 10: 'of two\\nlines'" in json.loads(line)["trail"]
    assert json.loads(line)["tracking_id"] == "t1"


def test_a_line_for_people_ends_with_the_ids_that_it_does_not_name(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up_logging("info", "console")
    with Trail(request_id="r1", tracking_id="t1"):
        logging.getLogger("mmsgate.test").info("message t1: sent")
    assert capsys.readouterr().err.endswith("I mmsgate.test  message t1: sent  request_id=r1\n")
