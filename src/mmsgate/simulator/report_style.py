"""How a personality reports: which reports, with which ids, in which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from mmsgate.clock import HOUR, MINUTE, SECOND, Millis
from mmsgate.mm7.address import Address, AddressKind
from mmsgate.mm7.received import SubmitReqReceived
from mmsgate.mm7.report import DeliveryReportReq, MMStatus
from mmsgate.mm7.request import answering_schema
from mmsgate.simulator.behaviour import Report
from mmsgate.simulator.writing import Writing

#: How long after a failure a report is tried again; then the MMSC gives up.
RETRIES: tuple[Millis, ...] = (SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, HOUR)


class When(StrEnum):
    """Whether a message is reported."""

    ASKED = "asked"  # DeliveryReport is true
    UNLESS_DECLINED = "unless declined"  # it is not false
    ALWAYS = "always"  # whatever it says


class Transaction(StrEnum):
    """What a report's TransactionID is."""

    NEW = "new"
    SUBMIT = "submit"  # the SubmitReq's
    MESSAGE_ID = "message id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A SubmitReq that was accepted for one recipient. `carrier` is the operator that it named."""

    submit: SubmitReqReceived
    number: str
    message_id: str
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStyle:
    """How reports are written and sent.

    `swapped`: Recipient and Sender change places. `plus`: numbers as ``+1…``. `reads`: MMStatus → what is reported
    instead. `texts`: MMStatus → StatusText. `headers` go with every report, `carrier_header` names that of the
    operator. `retries` are the waits after failures. `checked`: an answer must be well-formed, of the same
    TransactionID and 1000; else any 2xx will do.
    """

    writing: Writing = field(default_factory=Writing)
    when: When = When.ASKED
    transaction: Transaction = Transaction.NEW
    swapped: bool = False
    plus: bool = False
    reads: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: tuple[tuple[str, str], ...] = (("SOAPAction", '""'),)
    carrier_header: str = ""
    retries: tuple[Millis, ...] = RETRIES
    checked: bool = False

    def wanted(self, submit: SubmitReqReceived) -> bool:
        """Whether this message is reported."""
        if self.when is When.ASKED or "DeliveryReport" in submit.elements:
            return submit.delivery_report or self.when is When.ALWAYS
        return True

    def make(self, taken: Taken, report: Report, *, transaction_id: str, date: Millis) -> DeliveryReportReq:
        """The DeliveryReportReq that the recipient's row wants, in the submit's own namespace and version."""
        schema = answering_schema(taken.submit)
        status = self.reads.get(report.status, report.status)
        message_id = f"0{taken.message_id.upper()}" if report.altered_id else taken.message_id
        handset, vasp = self._parties(taken, report)
        filled = DeliveryReportReq(
            transaction_id=transaction_id,
            message_id="" if report.by_number else message_id,
            status=MMStatus.read(status),
            raw_status=status,
            status_text=self.texts.get(status, ""),
            recipient=handset,
            sender=vasp,
            date=date,
            ua_prof=report.ua_prof or "",
            namespace=schema.namespace,
            version=schema.version,
        )
        return replace(filled, transaction_id=self._transaction(taken, transaction_id))

    def _parties(self, taken: Taken, report: Report) -> tuple[Address | None, Address | None]:
        plus = "+" if (self.plus and taken.number.isdigit()) or report.plmn else ""
        number = f"{plus}{taken.number}{'/TYPE=PLMN' if report.plmn else ''}"
        handset, vasp = Address(value=number, kind=AddressKind.NUMBER), taken.submit.sender
        return (vasp, handset) if self.swapped or report.swapped else (handset, vasp)

    def _transaction(self, taken: Taken, new: str) -> str:
        match self.transaction:
            case Transaction.NEW:
                return new
            case Transaction.SUBMIT:
                return taken.submit.transaction_id
            case Transaction.MESSAGE_ID:
                return taken.message_id
