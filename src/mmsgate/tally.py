"""How many of something there were in this second and the one before. No IO."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Told the number of the present second, of whatever clock."""

    _second: int = 0
    _now: int = 0
    _before: int = 0

    def add(self, second: int) -> None:
        """There was one."""
        self._turn(second)
        self._now += 1

    def rate(self, second: int) -> int:
        """The more of the two: a second that has just begun says little."""
        self._turn(second)
        return max(self._now, self._before)

    def _turn(self, second: int) -> None:
        if second != self._second:
            self._before = self._now if second == self._second + 1 else 0
            self._second, self._now = second, 0
