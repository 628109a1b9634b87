"""Whether a process can do its work now, check by check, with the reason in words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mmsgate.errors import Fault

log = logging.getLogger("mmsgate.ops")

#: Does nothing if all is well; raises what is wrong.
Check = Callable[[], Awaitable[object]]

#: Seconds that a check may take: who asks gives up after a few.
PATIENCE = 2.0
#: An answer is as good for so many seconds: however many ask, the store is not kept busy.
GOOD_FOR = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What each check says; empty: all is well."""

    checks: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return not any(self.checks.values())


class Readiness:
    """Not ready before `started` is set, nor once `draining` is, nor while a check fails."""

    def __init__(self, *, patience: float = PATIENCE, good_for: float = GOOD_FOR) -> None:
        self._patience, self._good_for = patience, good_for
        self._checks: dict[str, Check] = {}
        self._known: tuple[float, dict[str, str]] | None = None
        self._turn = asyncio.Lock()
        self.started = self.draining = False

    def add(self, name: str, check: Check) -> None:
        """Ask that too."""
        self._checks[name] = check

    async def verdict(self) -> Verdict:
        """How things stand; at most `good_for` seconds old, but for starting and draining."""
        process = "it is draining" if self.draining else "" if self.started else "it is starting"
        checks = await self._all() if self.started else {}
        return Verdict(checks={"process": process, **checks})

    async def _all(self) -> dict[str, str]:
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._known is None or now - self._known[0] >= self._good_for:
                problems = await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
                self._known = now, dict(zip(self._checks, problems, strict=True))
            return self._known[1]

    async def _ask(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._patience):
                await check()
        except TimeoutError:
            return f"no answer within {self._patience:g} s"
        except (Fault, OSError, LookupError) as error:  # what a store or a disk is known to say
            return str(error)
        except Exception as error:
            log.exception("the check %s failed in a way that nobody foresaw", name)
            return f"{type(error).__name__}: {error}"
        return ""
