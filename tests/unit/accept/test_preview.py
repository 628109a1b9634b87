"""How many previews there may be, who is next, and how long one may take."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mmsgate.accept.call import Call
from mmsgate.accept.preview import AT_ONCE, DEADLINE, MOST, MOST_OF_ACCOUNT, Previews
from mmsgate.clock import ManualClock
from mmsgate.domain.preview import Preview, PreviewDraft
from mmsgate.domain.request import Action, SendSavedMms, WireDialect
from mmsgate.errors import Refusal
from tests.unit.builders import a_fallback, an_account
from tests.unit.delivery.fakes import a_content
from tests.unit.media.test_turns import settled


class Saved:
    """Lets every call through."""

    async def prepare(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(content=a_content(), mms_id=5, operator="", fallback=a_fallback())


class Desk:
    """Previews that end when a test says so. `made` are the accounts whose previews were begun, in order."""

    def __init__(self, *, deadline: float = DEADLINE, fault: Exception | None = None) -> None:
        self.made: list[int] = []
        self.ends: list[asyncio.Event] = []
        self._fault = fault
        self._previews = Previews(
            send=cast("Any", None), save=cast("Any", None), saved=cast("Any", Saved()), preview=self._preview,
            clock=ManualClock(), deadline=deadline,
        )  # fmt: skip

    async def _preview(self, draft: PreviewDraft) -> Preview:
        self.made.append(draft.account.id)
        self.ends.append(asyncio.Event())
        if self._fault is not None:
            raise self._fault
        await self.ends[-1].wait()
        return Preview(action=draft.action, content=draft.content, rows=(), warnings=(), problems=())

    async def run(self, account: int = 1) -> Preview:
        call = Call(account=an_account(id=account), dialect=WireDialect.KEBAB)
        return await self._previews.run(SendSavedMms(mms_id="5"), Action.SEND_SAVED_MMS, call)

    async def ask(self, account: int = 1) -> "asyncio.Task[Preview]":
        """A preview, gone as far as it can."""
        task = asyncio.create_task(self.run(account))
        await settled()
        return task

    async def finish(self, *tasks: "asyncio.Task[Preview]") -> None:
        """Everything ends, in order."""
        while not all(task.done() for task in tasks):
            for end in self.ends:
                end.set()
            await settled()

    async def refusal(self, account: int = 1) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.run(account)
        return caught.value


async def test_an_account_may_have_two_under_way() -> None:
    desk = Desk()
    tasks = [await desk.ask() for _ in range(MOST_OF_ACCOUNT)]
    refused = await desk.refusal()
    assert (refused.code, "2 previews of the account are under way" in refused.detail) == ("E113", True)
    other = await desk.ask(account=2)
    assert desk.made == [1, 1, 2]
    desk.ends[0].set()
    await tasks[0]
    third = await desk.ask()
    await desk.finish(*tasks, other, third)
    assert desk.made == [1, 1, 2, 1]


async def test_all_accounts_may_have_eight_under_way() -> None:
    desk = Desk()
    tasks = [await desk.ask(account) for account in (1, 2, 3, 4) for _ in range(2)]
    assert len(tasks) == MOST
    refused = await desk.refusal(account=5)
    assert (refused.code, "8 previews of all accounts are under way" in refused.detail) == ("E113", True)
    await desk.finish(*tasks)
    await desk.finish(await desk.ask(account=5))
    assert len(desk.made) == MOST + 1


async def test_accounts_take_turns() -> None:
    desk = Desk()
    tasks = [await desk.ask(account) for account in (1, 1, 2, 2, 3, 3, 4, 4)]
    assert desk.made == [1, 1, 2, 2, 3]  # one place more is for an account that has none
    assert len(desk.made) == AT_ONCE + 1
    for end in desk.ends[:2]:
        end.set()
        await settled()
    assert desk.made[5:] == [4]
    await desk.finish(*tasks)
    assert sorted(desk.made) == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_a_preview_that_is_not_ready_by_its_deadline_is_refused_and_leaves_its_place() -> None:
    desk = Desk(deadline=0)
    for _ in range(MOST_OF_ACCOUNT + 1):
        refused = await desk.refusal()
        assert (refused.code, refused.detail) == (
            "E503", "the preview was not ready after 0 s; nothing was sent or stored",
        )  # fmt: skip


async def test_a_fault_and_a_refused_call_leave_their_places_too() -> None:
    desk = Desk(fault=TimeoutError("of something else"))
    for _ in range(MOST_OF_ACCOUNT + 1):
        with pytest.raises(TimeoutError, match="of something else"):
            await desk.run()


async def test_a_preview_whose_caller_has_gone_leaves_its_place() -> None:
    desk = Desk()
    tasks = [await desk.ask() for _ in range(MOST_OF_ACCOUNT)]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await desk.finish(await desk.ask())
    assert desk.made == [1, 1, 1]
