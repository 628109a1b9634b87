"""How a personality writes its XML: in whose shape, in which charset, in what packing.

The standard's shape is the codec's. Those of the peers that were measured are templates that look like their
captures (MM7 peers page), with holes.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmsgate.clock import iso_z
from mmsgate.mm7 import status
from mmsgate.mm7.answer import encode_fault, encode_submit_rsp
from mmsgate.mm7.envelope import XML_TYPE, Prefix, Schema
from mmsgate.mm7.multipart import Part, build
from mmsgate.mm7.report import DeliveryReportReq, encode_delivery_report
from mmsgate.mm7.xml import escape

_ENCODING = re.compile(r"""(?<=encoding=)(["'])[\w-]+["']""")
_BOUNDARY = "soap_boundary"
_START = "soap-start"


class Charset(StrEnum):
    """What the XML declares, and what it is."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"  # with a byte order mark
    UTF_16_DECLARED = "utf-16 declared"  # over UTF-8


class Packing(StrEnum):
    """What is around the XML."""

    BARE = "bare"  # nothing
    MULTIPART = "multipart"  # a multipart/related, start="<…>"
    UNBRACKETED = "unbracketed"  # the same, start="…"
    CLAIMED = "claimed"  # nothing, though the Content-Type says multipart/related


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A body and its Content-Type."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How XML is written.

    `peer` names the folder of templates, empty for the standard's shape. `schema` is the namespace and version that
    it always answers in; None: the request's own. `misspelt` are pieces of text and what stands in their place.
    """

    peer: str = ""
    prefix: Prefix = Prefix.DEFAULT
    schema: Schema | None = None
    misspelt: tuple[tuple[str, str], ...] = ()
    charset: Charset = Charset.UTF_8
    content_type: str = XML_TYPE
    packing: Packing = Packing.BARE

    def submit_rsp(self, schema: Schema, transaction_id: str, *, code: int, text: str, message_id: str) -> Packed:
        """The answer to a SubmitReq that was understood. Without `text` it is the standard's for the code."""
        schema = self._schema(schema)
        values = {"transaction_id": transaction_id, "code": code, "text": text or status.text(code)}
        if self.peer:
            return self._packed(self._filled("SubmitRsp", schema, message_id=message_id, **values))
        return self._packed(
            encode_submit_rsp(
                transaction_id=transaction_id, code=code, text=text, message_id=message_id, schema=schema
            ).decode()
        )

    def fault(
        self, schema: Schema, transaction_id: str, *, code: int, text: str, details: str, faultcode: str
    ) -> Packed:
        """A SOAP fault. `details` are for who writes them, `faultcode` for who has one of its own."""
        schema = self._schema(schema)
        values = {"transaction_id": transaction_id, "code": code, "text": text or status.text(code)}
        if self.peer:
            return self._packed(self._filled("Fault", schema, faultcode=faultcode, **values))
        return self._packed(
            encode_fault(
                transaction_id=transaction_id, code=code, text=text, details=details, schema=schema
            ).decode()
        )

    def report(self, report: DeliveryReportReq) -> Packed:
        """A DeliveryReportReq."""
        schema = self._schema(Schema(namespace=report.namespace, version=report.version))
        if not self.peer:
            return self._packed(encode_delivery_report(report, prefix=self.prefix).decode())
        return self._packed(
            self._filled(
                "DeliveryReportReq", schema,
                transaction_id=report.transaction_id, message_id=report.message_id,
                recipient=report.recipient, sender=report.sender,
                date="" if report.date is None else iso_z(report.date),
                status=report.raw_status or report.status.value, status_text=report.status_text,
                ua_prof=report.ua_prof,
            )
        )  # fmt: skip

    def _schema(self, theirs: Schema) -> Schema:
        ours = self.schema or theirs
        return Schema(namespace=ours.namespace, version=ours.version, prefix=self.prefix)

    def _filled(self, document: str, schema: Schema, **values: object) -> str:
        template = _templates().get_template(f"{self.peer}/{document}.xml")
        return template.render(namespace=schema.namespace, version=schema.version, **values)

    def _packed(self, xml: str) -> Packed:
        for right, wrong in self.misspelt:
            xml = xml.replace(right, wrong)
        if self.charset is not Charset.UTF_8:
            xml = _ENCODING.sub(r"\1utf-16\1", xml, count=1)
        body = xml.encode("utf-16" if self.charset is Charset.UTF_16 else "utf-8")
        match self.packing:
            case Packing.BARE:
                return Packed(content_type=self.content_type, body=body)
            case Packing.CLAIMED:
                return Packed(content_type='multipart/related; type="text/xml"', body=body)
            case Packing.MULTIPART:
                return _multipart(body, self.content_type, f"<{_START}>")
            case Packing.UNBRACKETED:
                return _multipart(body, self.content_type, _START)


def _multipart(xml: bytes, content_type: str, start: str) -> Packed:
    part = Part(headers=(("Content-Type", content_type), ("Content-ID", f"<{_START}>")), body=xml)
    return Packed(
        content_type=f'multipart/related; boundary="{_BOUNDARY}"; type="text/xml"; start="{start}"',
        body=b"".join(build([part], _BOUNDARY)),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("mmsgate.simulator", "peers"),
        autoescape=False,  # noqa: S701  # `finalize` escapes every value, as XML wants it
        finalize=lambda value: escape(str(value)),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
