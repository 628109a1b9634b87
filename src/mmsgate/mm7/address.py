"""An address in an MM7 envelope: a number, a short code or a mail address."""

from dataclasses import dataclass
from enum import StrEnum

from mmsgate.domain.number import mask, normalise
from mmsgate.mm7.xml import Node, attribute, child, escape, local, own_text, truth


class AddressKind(StrEnum):
    """The elements that hold an address."""

    NUMBER = "Number"
    SHORT_CODE = "ShortCode"
    MAIL = "RFC2822Address"


_KINDS = {kind.value: kind for kind in AddressKind}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address:
    """One party. Readers normalise `value`: digits alone where it is a number (``+1…``, ``1…/TYPE=PLMN``)."""

    value: str
    kind: AddressKind = AddressKind.NUMBER

    def __repr__(self) -> str:
        return f"{self.kind.value}({mask(self.value)})"


def read_addresses(parent: Node | None) -> tuple[Address, ...]:
    """Every address directly below `parent`; bare text there counts as a number."""
    if parent is None:
        return ()
    named = [(_KINDS.get(local(node)), own_text(node)) for node in parent]
    found = tuple(Address(value=normalise(text), kind=kind) for kind, text in named if kind and text)
    bare = own_text(parent)
    return found or ((Address(value=normalise(bare)),) if bare else ())


def read_address(parent: Node | None, *path: str) -> Address | None:
    """The first address in the element at `path`, None if there is none."""
    return next(iter(read_addresses(child(parent, *path))), None)


def address_xml(address: Address, prefix: str = "") -> str:
    """The address as an element."""
    name = f"{prefix}{address.kind.value}"
    return f"<{name}>{escape(address.value)}</{name}>"


def read_recipients(operation: Node) -> tuple[Address, ...]:
    """Everyone in To, Cc and Bcc; addresses directly in Recipients count too."""
    holder = child(operation, "Recipients")
    if holder is None:
        return ()
    listed = tuple(found for node in holder if len(node) for found in read_addresses(node))
    return listed or read_addresses(holder)


def read_copies(operation: Node) -> tuple[Address, ...]:
    """The recipients that are only to be shown, as ``displayOnly`` says: the others of a group (MM7 page 6)."""
    holder = child(operation, "Recipients")
    marked = (
        node for node in (holder.iter() if holder is not None else ()) if truth(attribute(node, "displayOnly"))
    )
    named = ((_KINDS.get(local(node)), own_text(node)) for node in marked)
    return tuple(Address(value=normalise(text), kind=kind) for kind, text in named if kind and text)
