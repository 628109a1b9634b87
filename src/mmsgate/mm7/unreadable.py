"""What becomes of bytes that can't be read: a value outside this package, an exception inside it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A request that could not be read.

    `status_code` is the MM7 status to answer with (2007 corrupt, 4003 unknown operation, 4004 content that is not
    there), `reason` says in words what is wrong. The transaction, namespace and version are filled in as far
    as they were found, so that the answer can repeat them.
    """

    status_code: int
    reason: str
    transaction_id: str = ""
    namespace: str = ""
    version: str = ""


class CannotRead(Exception):  # noqa: N818 - a reader's early way out, not an error of the program
    """Bytes that break the format or a limit. Readers of whole messages turn it into a value."""

    def __init__(self, reason: str, *, status_code: int = 2007) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status_code = status_code
