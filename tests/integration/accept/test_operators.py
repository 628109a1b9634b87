"""Whose number it is, and who says so: with a store, and a lookup over HTTP that may do anything."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mmsgate.accept.operators import FAILED_TTL, Found, OperatorFinder, ToldBy, ago, check_found
from mmsgate.carriers.breaker import MOST_FAILURES, PAUSES
from mmsgate.carriers.lookup import ALARM, hook_of
from mmsgate.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from mmsgate.config import Settings
from mmsgate.domain.account import Account, Compat, Switches
from mmsgate.domain.operators import BUILT_IN, Operator
from mmsgate.errors import Refusal
from mmsgate.http import HttpClient
from mmsgate.store import Directory, NumberSource, Store, migrate
from tests.integration.http.origin import Exchange, Origin
from tests.unit.builders import an_account

NUMBER = "12065550100"


@dataclass
class Alarms:
    """Those that are open, and how often one was raised."""

    open: dict[str, str] = field(default_factory=dict)
    raised: int = 0

    async def raise_(self, subject: str, reason: str) -> None:
        self.open[subject] = reason
        self.raised += 1

    async def clear(self, subject: str) -> None:
        self.open.pop(subject, None)


@dataclass
class Desk:
    """A finder, and everything around it. Without `hooked` no lookup is configured."""

    store: Store
    origin: Origin
    http: HttpClient
    directory: Directory
    clock: ManualClock = field(default_factory=ManualClock)
    alarms: Alarms = field(default_factory=Alarms)

    def finder(self, *, hooked: bool = True, **settings: Any) -> OperatorFinder:
        url = self.origin.url("/of/{number}") if hooked else ""
        hook = hook_of(Settings(lookup_url=url, **settings), http=self.http, clock=self.clock, alarms=self.alarms)
        return OperatorFinder(self.store, lambda: self.directory, hook=hook, clock=self.clock)

    def says(self, *answers: Any, number: str = NUMBER, status: int = 200) -> None:
        """What the hook answers for a number, the last of several for good; bytes as they are."""
        left = list(answers)

        async def handler(exchange: Exchange) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            await exchange.answer(body, status=status, Content_Type="application/json")

        self.origin.routes[f"/of/{number}"] = handler

    def hits(self, number: str = NUMBER) -> int:
        return self.origin.hits[f"/of/{number}"]

    async def refresh(self) -> None:
        """Let the finder see what has changed in the store, as the gateway's watch does."""
        self.directory = await self.store.accounts.directory()

    async def learn(self, operator: str, source: NumberSource = NumberSource.LOOKUP, **changes: Any) -> None:
        now = self.clock.now()
        await self.store.numbers.learn(
            NUMBER, operator, source=source, **{"at": now, "expires_at": now + 30 * DAY} | changes
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    migrate(tmp_path / "mmsgate.db")
    store, http = Store(tmp_path / "mmsgate.db"), HttpClient()
    await store.start()
    await http.start()
    async with Origin() as origin:
        yield Desk(store, origin, http, await store.accounts.directory())
        await http.stop()
    await store.stop()


def who(found: Found) -> tuple[str, ToldBy]:
    return found.id, found.told_by


# -- the order


async def test_each_is_asked_when_those_before_it_know_nothing(desk: Desk) -> None:
    account = an_account(operator="0001890")
    finder = desk.finder()
    desk.says({"operator-id": None, "ttl": 0}, {"operator-id": 31004})
    assert who(await finder.find(NUMBER, "", account)) == ("31003", ToldBy.ACCOUNT)
    await desk.store.numbers.replace_prefixes({"1206": "31005"})
    await desk.refresh()
    desk.says({"operator-id": None, "ttl": 0})
    assert who(await finder.find(NUMBER, "", account)) == ("31005", ToldBy.PREFIX)
    desk.says({"operator-id": 31004, "ttl": 0})
    assert who(await finder.find(NUMBER, "", account)) == ("31004", ToldBy.LOOKUP)
    await desk.learn("31002")
    assert who(await finder.find(NUMBER, "", account)) == ("31002", ToldBy.NUMBER_CACHE)
    assert who(await finder.find(NUMBER, "31062", account)) == ("31062", ToldBy.REQUEST)
    assert desk.hits() == 3


async def test_nothing_is_known_where_nobody_knows(desk: Desk) -> None:
    found = await desk.finder(hooked=False).find(NUMBER, "", an_account())
    assert found == Found(operator=None, told_by=ToldBy.NOBODY)
    assert str(found) == "operator unknown"


@pytest.mark.parametrize(
    ("source", "age", "note"),
    [
        (NumberSource.LOOKUP, 2 * DAY + 5 * HOUR, "from the number cache, looked up 2 days ago"),
        (NumberSource.LOOKUP, 0, "from the number cache, looked up just now"),
        (NumberSource.CARRIER, 3 * HOUR, "from the number cache, said by a carrier 3 hours ago"),
    ],
)
async def test_the_number_cache_says_who_told_it_and_when(
    desk: Desk, source: NumberSource, age: int, note: str
) -> None:
    await desk.learn("31002", source)
    desk.clock.advance(age)
    found = await desk.finder(hooked=False).find(NUMBER, "", an_account())
    assert str(found) == f"operator 31002 AT&T: {note}"


async def test_every_other_source_says_what_it_is(desk: Desk) -> None:
    finder = desk.finder()
    desk.says({"operator-id": "31002", "ttl": 0}, {"operator-id": None, "ttl": 0})
    said = [str(await finder.find(NUMBER, "31002", an_account())), str(await finder.find(NUMBER, "", an_account()))]
    await desk.store.numbers.replace_prefixes({"1206": "31002"})
    await desk.refresh()
    said.append(str(await finder.find(NUMBER, "", an_account())))
    await desk.store.numbers.replace_prefixes({})
    await desk.refresh()
    said += [str(await finder.find(NUMBER, "", an_account(operator=each))) for each in ("31002", "99999")]
    assert said == [
        "operator 31002 AT&T: said by the request",
        "operator 31002 AT&T: looked up just now",
        "operator 31002 AT&T: by the prefix 1206",
        "operator 31002 AT&T: the account's default",
        "operator 99999 (in no table): the account's default",
    ]


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (0, "just now"), (1999, "just now"), (2 * SECOND, "2 s ago"), (119 * SECOND, "119 s ago"),
        (2 * MINUTE, "2 minutes ago"), (150 * MINUTE, "2 hours ago"), (47 * HOUR, "47 hours ago"),
        (400 * DAY, "400 days ago"),
    ],
)  # fmt: skip
def test_a_time_that_has_gone_by(age: int, said: str) -> None:
    assert ago(age) == said


async def test_what_one_account_claims_is_not_kept(desk: Desk) -> None:
    """A wrong operator-id of one account must not steer another's messages."""
    finder = desk.finder(hooked=False)
    await finder.find(NUMBER, "31062", an_account())
    assert await desk.store.numbers.count() == 0
    assert (await finder.find(NUMBER, "", an_account(id=2))).operator is None


async def test_an_entry_of_an_operator_that_was_removed_does_not_count(desk: Desk) -> None:
    await desk.store.operators.put(Operator(id="23415", name="Vodafone", country="GB"))
    await desk.refresh()
    await desk.learn("23415")
    finder = desk.finder()
    assert who(await finder.find(NUMBER, "", an_account())) == ("23415", ToldBy.NUMBER_CACHE)
    await desk.store.operators.remove("23415")
    await desk.refresh()
    desk.says({"operator-id": "31002"})
    assert who(await finder.find(NUMBER, "", an_account())) == ("31002", ToldBy.LOOKUP)


# -- the lookup


@pytest.mark.parametrize("written", ["31003", 31003, "0001890", 1890, " 310012 "])
async def test_the_hook_may_write_an_operator_in_any_spelling(desk: Desk, written: object) -> None:
    desk.says({"operator-id": written, "mms": True, "ttl": 86400, "name": "Verizon", "imsi": "310…"})
    assert who(await desk.finder().find(NUMBER, "", an_account())) == ("31003", ToldBy.LOOKUP)


async def test_the_hook_gets_the_number_and_the_headers(desk: Desk) -> None:
    desk.says({"operator-id": "31002"})
    await desk.finder(lookup_headers=("Authorization: Bearer s3cret", "X-Account:7")).find(NUMBER, "", an_account())
    (asked,) = desk.origin.seen
    assert asked.path == f"/of/{NUMBER}"
    assert (asked.headers["authorization"], asked.headers["x-account"]) == ("Bearer s3cret", "7")


async def test_what_was_looked_up_is_known_for_as_long_as_the_hook_says(desk: Desk) -> None:
    finder = desk.finder()
    desk.says({"operator-id": "31002", "ttl": 60})
    sources = [(await finder.find(NUMBER, "", an_account())).told_by]
    desk.clock.advance(59 * SECOND)
    sources.append((await finder.find(NUMBER, "", an_account())).told_by)
    desk.clock.advance(1 * SECOND)
    sources.append((await finder.find(NUMBER, "", an_account())).told_by)
    assert sources == [ToldBy.LOOKUP, ToldBy.NUMBER_CACHE, ToldBy.LOOKUP]
    assert desk.hits() == 2


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({"operator-id": "31002"}, DAY),
        ({"operator-id": None}, 10 * MINUTE),
        ({"operator-id": ""}, 10 * MINUTE),
        ({"operator-id": "31002", "ttl": 1e12}, 90 * DAY),
        ({"operator-id": "31002", "ttl": 1e306}, 90 * DAY),
        ({"operator-id": "31002", "ttl": 1.5}, 1500),
        ({"operator-id": None, "ttl": 7200}, 2 * HOUR),
    ],
)
async def test_how_long_an_answer_is_kept(desk: Desk, answer: dict[str, Any], life: int) -> None:
    desk.says(answer)
    await desk.finder().find(NUMBER, "", an_account())
    known = await desk.store.numbers.get(NUMBER, now=desk.clock.now())
    assert known
    assert known.expires_at - known.learnt_at == life


async def test_an_answer_that_is_good_for_once_is_not_kept(desk: Desk) -> None:
    desk.says({"operator-id": "31002", "ttl": 0})
    commits = desk.store.commits
    await desk.finder().find(NUMBER, "", an_account())
    assert desk.store.commits == commits


async def test_a_number_that_the_hook_does_not_know_is_not_asked_for_again_and_again(desk: Desk) -> None:
    finder = desk.finder()
    desk.says(b"", status=404)
    for _ in range(3):
        assert (await finder.find(NUMBER, "", an_account())).operator is None
    assert desk.hits() == 1


async def test_a_number_that_takes_no_mms_is_told_with_its_operator_and_without(desk: Desk) -> None:
    desk.says({"operator-id": "31002", "mms": False}, {"operator-id": None, "mms": False})
    finder = desk.finder()
    told = [await finder.find(NUMBER, "", an_account()) for _ in range(2)]
    assert [(each.id, each.told_by, each.mms) for each in told] == [
        ("31002", ToldBy.LOOKUP, False), ("31002", ToldBy.NUMBER_CACHE, False),
    ]  # fmt: skip
    await desk.store.numbers.forget(NUMBER)
    told = [await finder.find(NUMBER, "", an_account(operator="31003")) for _ in range(2)]
    assert [(each.id, each.told_by, each.mms) for each in told] == [("31003", ToldBy.ACCOUNT, False)] * 2


async def test_an_operator_in_no_table_counts_as_unknown_until_it_is_added(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    finder = desk.finder()
    desk.says({"operator-id": "23415", "name": "Vodafone"})
    assert (await finder.find(NUMBER, "", an_account())).operator is None
    assert "23415 (Vodafone), which is in no table: mmsgate operator add" in caplog.text
    await desk.store.operators.put(Operator(id="23415", name="Vodafone", country="GB"))
    await desk.refresh()
    await desk.store.numbers.forget_unknown()
    assert who(await finder.find(NUMBER, "", an_account())) == ("23415", ToldBy.LOOKUP)


async def test_a_thousand_messages_to_one_number_are_one_lookup(desk: Desk) -> None:
    finder, gate = desk.finder(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await exchange.answer(b'{"operator-id": "31002"}')

    desk.origin.routes[f"/of/{NUMBER}"] = slow
    asking = [asyncio.create_task(finder.find(NUMBER, "", an_account(id=each % 7))) for each in range(1000)]
    while not desk.hits():
        await asyncio.sleep(0)
    gate.set()
    assert {who(each) for each in await asyncio.gather(*asking)} == {("31002", ToldBy.LOOKUP)}
    assert desk.hits() == 1


async def test_whoever_hangs_up_takes_no_lookup_away_from_the_others(desk: Desk) -> None:
    finder, gate = desk.finder(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await gate.wait()
        await exchange.answer(b'{"operator-id": "31002"}')

    desk.origin.routes[f"/of/{NUMBER}"] = slow
    first, second = (asyncio.create_task(finder.find(NUMBER, "", an_account())) for _ in range(2))
    while not desk.hits():
        await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert who(await second) == ("31002", ToldBy.LOOKUP)
    assert desk.hits() == 1


# -- when it fails


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"<html>Bad Gateway</html>", "the lookup's answer can't be read: JSON is malformed"),
        (b"", "the lookup's answer can't be read: Input data was truncated"),
        (b"\xff\xfe{}", "the lookup's answer can't be read"),
        ([], "the lookup's answer can't be read: Expected `object`, got `array`"),
        ({"operator": "31002"}, "the lookup's answer can't be read: Object missing required field `operator-id`"),
        ({"operator-id": ["31002"]}, "Expected `int | str | null`, got `array` - at `$.operator-id`"),
        ({"operator-id": True}, "Expected `int | str | null`, got `bool` - at `$.operator-id`"),
        ({"operator-id": "31002", "mms": "yes"}, "Expected `bool`, got `str` - at `$.mms`"),
        ({"operator-id": "31002", "ttl": -1}, "Expected `float` >= 0.0 - at `$.ttl`"),
        (b'{"operator-id": "31002", "ttl": NaN}', "the lookup's answer can't be read: JSON is malformed"),
        (b'{"operator-id": "31002", "ttl": Infinity}', "the lookup's answer can't be read: JSON is malformed"),
        (b'{"operator-id": "31002", "ttl": 1e999}', "Number out of range - at `$.ttl`"),
        (
            b'{"operator-id": "31002", "pad": "' + b"x" * 10_000_000 + b'"}',
            "the lookup's answer is longer than we read",
        ),
        (b'{"operator-id": "31002", "x": ' + b"[" * 100_000, "the lookup's answer can't be read"),
    ],
    ids=[
        "html", "empty", "utf-16", "list", "other names", "list of ids", "bool", "mms", "negative ttl", "NaN",
        "Infinity", "1e999", "10 MB", "nested",
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_the_documented_json_counts_as_none(
    desk: Desk, answer: object, trouble: str
) -> None:
    await desk.store.numbers.replace_prefixes({"1206": "31005"})
    await desk.refresh()
    desk.says(answer)
    found = await desk.finder(lookup_timeout=20).find(NUMBER, "", an_account())
    assert who(found) == ("31005", ToldBy.PREFIX)
    assert trouble in found.trouble
    assert len(found.trouble) < 200
    assert await desk.store.numbers.count() == 0


@pytest.mark.parametrize("status", [204, 301, 401, 403, 429, 500, 503])
async def test_any_other_status_is_a_failure_that_says_so(desk: Desk, status: int) -> None:
    desk.says(b"", status=status)
    found = await desk.finder().find(NUMBER, "", an_account())
    assert found.operator is None
    assert str(found) == f"operator unknown (the lookup answered HTTP {status})"


async def test_a_hook_that_says_nothing_costs_its_time_out_once(desk: Desk) -> None:
    desk.origin.routes[f"/of/{NUMBER}"] = Exchange.stall
    finder = desk.finder(lookup_timeout=0.05)
    found = [await finder.find(NUMBER, "", an_account()) for _ in range(5)]
    assert {each.trouble for each in found} == {"the lookup failed: no complete answer within 0.05 s"}
    assert desk.hits() == 1
    desk.clock.advance(FAILED_TTL)
    await finder.find(NUMBER, "", an_account())
    assert desk.hits() == 2


async def test_a_hook_that_trickles_has_no_more_time_than_one_that_says_nothing(desk: Desk) -> None:
    async def trickle(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not exchange.writer.is_closing():
            await exchange.send(b" ")
            await asyncio.sleep(0.001)

    desk.origin.routes[f"/of/{NUMBER}"] = trickle
    found = await desk.finder(lookup_timeout=0.1).find(NUMBER, "", an_account())
    assert found.trouble == "the lookup failed: no complete answer within 0.1 s"


async def test_a_dead_hook_is_left_alone_and_tried_again(desk: Desk) -> None:
    finder = desk.finder()
    numbers = [f"120655501{each:02}" for each in range(20)]
    for number in numbers:
        desk.says(b"", number=number, status=500)
    found = [await finder.find(number, "", an_account()) for number in numbers]
    assert [desk.hits(number) for number in numbers] == [1] * MOST_FAILURES + [0] * (20 - MOST_FAILURES)
    assert found[-1].trouble == "the lookup keeps failing and is left alone for a while"
    assert desk.alarms.open == {ALARM: "the lookup answered HTTP 500"}
    desk.says({"operator-id": "31002"}, number=numbers[-1])
    desk.clock.advance(PAUSES[0])
    assert who(await finder.find(numbers[-1], "", an_account())) == ("31002", ToldBy.LOOKUP)
    assert (desk.alarms.open, desk.alarms.raised) == ({}, 1)


async def test_the_first_answer_ends_the_alarm_of_an_older_run(desk: Desk) -> None:
    await desk.alarms.raise_(ALARM, "an older gateway said so")
    desk.says({"operator-id": "31002"})
    await desk.finder().find(NUMBER, "", an_account())
    assert desk.alarms.open == {}


# -- whether it has to be known

UNKNOWN = Found(operator=None, told_by=ToldBy.NOBODY)
FAILED = Found(operator=None, told_by=ToldBy.NOBODY, trouble="the lookup answered HTTP 500")
KNOWN = Found(operator=BUILT_IN.find("31002"), told_by=ToldBy.PREFIX, trouble="the lookup answered HTTP 500")


def account(compat: Compat, required: bool | None) -> Account:
    return an_account(switches=Switches(compat=compat, require_operator=required))


@pytest.mark.parametrize(
    ("found", "compat", "required", "refused"),
    [
        (KNOWN, Compat.STRICT, True, False),
        (UNKNOWN, Compat.BETTER, None, False),
        (FAILED, Compat.BETTER, None, False),
        (UNKNOWN, Compat.STRICT, None, False),
        (FAILED, Compat.STRICT, None, True),
        (FAILED, Compat.STRICT, False, False),
        (UNKNOWN, Compat.BETTER, True, True),
        (FAILED, Compat.BETTER, True, True),
    ],
)
def test_e618_where_the_operator_must_be_known(
    found: Found, compat: Compat, required: bool | None, refused: bool
) -> None:
    if not refused:
        check_found(found, account(compat, required))
        return
    with pytest.raises(Refusal, match="E618") as caught:
        check_found(found, account(compat, required))
    assert caught.value.detail == (found.trouble or "nothing says which operator the recipient has")
