"""Whether a process says that it is ready."""

import asyncio

from mmsgate.errors import Fault
from mmsgate.ops.readiness import Readiness


async def well() -> None:
    """Nothing is wrong."""


async def full() -> None:
    raise Fault("the transaction could not be committed: database or disk is full")


async def test_a_process_is_ready_once_it_has_started_and_every_check_passes() -> None:
    readiness = Readiness()
    readiness.add("store", well)
    assert (await readiness.verdict()).checks == {"process": "it is starting"}
    readiness.started = True
    verdict = await readiness.verdict()
    assert (verdict.ready, verdict.checks) == (True, {"process": "", "store": ""})


async def test_a_check_that_fails_is_named_with_the_reason_and_the_others_are_asked_too() -> None:
    readiness = Readiness()
    readiness.started = True
    readiness.add("write", full)
    readiness.add("read", well)
    verdict = await readiness.verdict()
    assert not verdict.ready
    assert verdict.checks["write"] == "the transaction could not be committed: database or disk is full"
    assert verdict.checks["read"] == ""


async def test_an_error_that_nobody_foresaw_is_no_answer_of_the_port_but_of_the_check() -> None:
    async def broken() -> None:
        raise ZeroDivisionError("by zero")

    readiness = Readiness()
    readiness.started = True
    readiness.add("blobs", broken)
    assert (await readiness.verdict()).checks["blobs"] == "ZeroDivisionError: by zero"


async def test_a_check_that_hangs_is_said_to_hang() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    readiness = Readiness(patience=0.01)
    readiness.started = True
    readiness.add("blobs", hangs)
    assert (await readiness.verdict()).checks["blobs"] == "no answer within 0.01 s"


async def test_many_who_ask_at_once_cost_one_look() -> None:
    looks = 0

    async def count() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)

    readiness = Readiness(good_for=3600)
    readiness.started = True
    readiness.add("store", count)
    await asyncio.gather(*(readiness.verdict() for _ in range(20)))
    assert looks == 1


async def test_a_draining_process_is_not_ready_at_once_however_fresh_the_last_answer() -> None:
    readiness = Readiness(good_for=3600)
    readiness.started = True
    readiness.add("store", well)
    assert (await readiness.verdict()).ready
    readiness.draining = True
    verdict = await readiness.verdict()
    assert (verdict.ready, verdict.checks) == (False, {"process": "it is draining", "store": ""})
