"""Carriers' numbers: the two number spaces of operator ids and every way to write them.

The source is the MM7 service page, section 7 (G-22): newer lists number carriers 310xx, the older scheme (SPID)
has seven digits, country code and carrier; old samples leave out the SPID's last digit, and programs that hold
it as a number lose its leading zeros. All of these are understood. We call a carrier by its 310xx number, or by
its SPID where it has no other. A gateway elsewhere adds its own carriers to the table.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SPID_LENGTH = 7  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A carrier. `id` is our number for it, `spid` the older one of seven digits (empty: none), `country` ISO 3166.

    `aliases` are further numbers that callers use for it.
    """

    id: str
    name: str
    country: str
    spid: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def spellings(self) -> Iterator[str]:
        """Every number that means this carrier, as it stands in samples."""
        yield self.id
        if self.spid:
            yield from (self.spid, self.spid[:-1])
        yield from self.aliases

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


def _operator(name: str, country: str, spid: str, number: str = "", aliases: tuple[str, ...] = ()) -> Operator:
    return Operator(id=number or spid, name=name, country=country, spid=spid, aliases=aliases)


OPERATORS: tuple[Operator, ...] = (
    _operator("AT&T", "US", "0001470", "31002"),
    _operator("Verizon", "US", "0001890", "31003", ("310012",)),  # the JSON sample's, its network code
    _operator("T-Mobile US", "US", "0001570", "31004"),
    _operator("Sprint", "US", "0001650", "31005"),
    _operator("MetroPCS", "US", "0001770", "31062", ("0001190", "000119")),  # also "MetroPCS/T-Mobile"
    _operator("US Cellular", "US", "0001840"),
    _operator("Cricket", "US", "0001670"),
    _operator("All Carriers", "US", "0001000"),
    _operator("Bell", "CA", "0001400"),
    _operator("Rogers GSM", "CA", "0001290"),
    _operator("Telus", "CA", "0001220"),
    _operator("Fido", "CA", "0001700"),
    _operator("Virgin", "CA", "0001800"),
    _operator("Sasktel", "CA", "0001580"),
)


class Operators:
    """The table: the carriers of `OPERATORS`, and those that were `added`."""

    def __init__(self, added: Iterable[Operator] = ()) -> None:
        self.added = tuple(added)
        self._by_number = {_key(each): operator for operator in self for each in operator.spellings}

    def __iter__(self) -> Iterator[Operator]:
        yield from OPERATORS
        yield from self.added

    def find(self, number: str) -> Operator | None:
        """The carrier that an operator id in any of its forms means; None if it is none's (E651)."""
        return self._by_number.get(_key(number))

    def spid(self, operator_id: str) -> str:
        """What the Skycore dialect calls a carrier: its SPID, else its id; empty for one that nobody knows."""
        operator = self.find(operator_id)
        return (operator.spid or operator.id) if operator else ""


def _key(number: str) -> str:
    return number.strip().lstrip("0")


BUILT_IN = Operators()


def check_addition(operator: Operator, table: Operators) -> None:
    """Whether a carrier can be added to a table. Raises ValueError that says why not."""
    numbers = [operator.id, operator.spid, *operator.aliases] if operator.spid else [operator.id, *operator.aliases]
    for number in numbers:
        if not (number.isascii() and number.isdigit() and number.strip("0") and len(number) <= 15):
            raise ValueError(f"{number!r} is no operator id: it has 1 to 15 digits, not all of them 0")
    if operator.spid and len(operator.spid) != SPID_LENGTH:
        raise ValueError(f"a SPID has {SPID_LENGTH} digits, {operator.spid!r} has {len(operator.spid)}")
    if not (operator.country.isascii() and operator.country.isalpha() and len(operator.country) == 2):
        raise ValueError(f"{operator.country!r} is no country: it is two letters (ISO 3166), like US")
    if not operator.name.strip():
        raise ValueError("an operator needs a name")
    for number in operator.spellings:
        if (taken := table.find(number)) and (taken.id != operator.id or taken not in table.added):
            raise ValueError(f"{number} is {taken.name}'s already")
