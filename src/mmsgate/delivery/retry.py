"""When a message is tried again (R-36), and how long a refused connection pauses. One line of data each."""

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis, jittered

#: Delay after the first, second, … temporary failure; the last one repeats until the message expires.
SCHEDULE: tuple[Millis, ...] = (1 * SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 1 * HOUR)

#: How long a connection that refuses our credentials is left alone, each time it does so again.
PAUSES: tuple[Millis, ...] = (5 * SECOND, 10 * SECOND, 30 * SECOND, 1 * MINUTE, 5 * MINUTE)


def retry_delay(failures: int, *, asked: Millis | None = None) -> Millis:
    """The delay after that many temporary failures (1 is the first), or longer if the carrier `asked` for it."""
    delay = jittered(SCHEDULE[min(failures, len(SCHEDULE)) - 1])
    return max(delay, asked or 0)


def pause_length(refusals: int) -> Millis:
    """How long to leave a connection alone after that many refusals in a row (1 is the first)."""
    return PAUSES[min(refusals, len(PAUSES)) - 1]
