"""Carriers' numbers: the two number spaces of operator ids and every way to write them.

The source is the MM7 service page, section 7 (G-22): newer lists number carriers 310xx, the older scheme (SPID)
has seven digits, country code and carrier; old samples leave out the SPID's last digit, and programs that hold
it as a number lose its leading zeros. All of these are understood. We call a carrier by its 310xx number, or by
its SPID where it has no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A carrier. `id` is our number for it, `spid` the older one of seven digits, `country` ISO 3166.

    `aliases` are further numbers that callers use for it.
    """

    id: str
    name: str
    country: str
    spid: str
    aliases: tuple[str, ...] = ()

    @property
    def spellings(self) -> Iterator[str]:
        """Every number that means this carrier, as it stands in samples."""
        yield from (self.id, self.spid, self.spid[:-1], *self.aliases)


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

_BY_NUMBER: Mapping[str, Operator] = MappingProxyType(
    {spelling.lstrip("0"): operator for operator in OPERATORS for spelling in operator.spellings}
)


def find_operator(number: str) -> Operator | None:
    """The carrier that an operator id in any of its forms means; None if it is none's (E651)."""
    return _BY_NUMBER.get(number.strip().lstrip("0"))


def spid(operator_id: str) -> str:
    """The seven-digit number of a carrier; empty if it has none that we know."""
    operator = find_operator(operator_id)
    return operator.spid if operator else ""
