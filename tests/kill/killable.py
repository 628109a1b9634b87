"""Runs ``mmsgate`` and kills it (SIGKILL) at a named step. Usage: killable.py STEP[:N] serve …

The step's N-th passing (default 1) is the last thing the process does. The steps wrap the gateway's own functions
from outside: the program itself has no hooks for tests.
"""

import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from mmsgate.carriers.client import Mm7Client
from mmsgate.cli import main
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.mms import MmsDelivery
from mmsgate.delivery.sms import SmsDelivery
from mmsgate.delivery.versions import Versions
from mmsgate.postbacks.ledger import Ledger
from mmsgate.reports.reports import Reports
from mmsgate.store.inbound import InboundRows
from mmsgate.store.messages import Messages
from mmsgate.store.postbacks import Postbacks
from mmsgate.store.preparations import Preparations

#: step → (class, method, whether it dies before or after the method).
STEPS: dict[str, tuple[type, str, str]] = {
    "accept-before-commit": (Messages, "accept", "before"),
    "accept-after-commit": (Messages, "accept", "after"),
    "preparation-claimed": (Preparations, "claim", "after"),
    "preparation-made": (Versions, "make", "after"),
    "preparation-let-go": (Preparations, "finish", "before"),
    "claimed": (Lane, "_claim", "after"),
    "before-submitting": (MmsDelivery, "_begin", "before"),
    "submitting-committed": (Mm7Client, "submit", "before"),
    "body-sent": (Mm7Client, "submit", "after"),
    "before-record": (MmsDelivery, "_judge", "after"),
    "step-recorded": (Ledger, "record", "after"),
    "report-before-commit": (Reports, "receive", "before"),
    "report-after-commit": (Reports, "receive", "after"),
    "postbacks-claimed": (Postbacks, "claim", "after"),
    "postback-sent": (Postbacks, "record", "before"),
    "postback-recorded": (Postbacks, "record", "after"),
    "sms-submitting-committed": (SmsDelivery, "_begin", "after"),
    "sms-sent": (SmsDelivery, "_judge", "before"),
}

#: The steps of an inbound message.
INBOUND_STEPS: dict[str, tuple[type, str, str]] = {
    "inbound-before-commit": (InboundRows, "record", "before"),
    "inbound-after-commit": (InboundRows, "record", "after"),
}

#: Which passing is the last; 5 unless it is here. Claims are few, for they take many at once.
PASSINGS = {"preparation-claimed": 1, "claimed": 2, "postbacks-claimed": 2, "postback-recorded": 2}


def die_at(step: str, passing: int) -> None:
    """Make the named step's `passing`-th execution kill the process."""
    owner, name, when = (STEPS | INBOUND_STEPS)[step]
    original: Callable[..., Any] = getattr(owner, name)
    left = passing

    def die() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        result = await original(*args, **kwargs)
        if when == "after" and result != []:  # an empty claim is no step
            die()
        return result

    def wrapped_plain(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        result = original(*args, **kwargs)
        if when == "after":
            die()
        return result

    setattr(owner, name, wrapped if inspect.iscoroutinefunction(original) else wrapped_plain)


if __name__ == "__main__":
    named, _, number = sys.argv.pop(1).partition(":")
    die_at(named, int(number or 1))
    main()
