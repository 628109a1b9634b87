"""SubmitReq as bytes, written out by hand: nothing here uses the gateway's writer."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

REL_6 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
REL_5 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-0"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

_LAYOUT = (
    '<layout><root-layout width="320" height="480"/><region id="Image" left="0" top="0" width="320" height="320" '
    'fit="meet"/><region id="Text" left="0" top="320" width="320" height="160" fit="scroll"/></layout>'
)
SMIL = (
    f'<smil><head>{_LAYOUT}</head><body><par dur="10000ms"><img src="s1.jpg" region="Image"/>'
    '<text src="s1.txt" region="Text"/></par></body></smil>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An HTTP request without its first line."""

    content_type: str
    body: bytes


def part(name: str, content_type: str, body: bytes) -> tuple[str, str, bytes]:
    """One part for `golden`."""
    return name, content_type, body


PICTURE = part("s1.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 picture \r\n--inner \x00\xff")
WORDS = part("s1.txt", "text/plain; charset=utf-8", b"Hi")


def golden(
    to: str = "12399471613",
    *,
    transaction: str = "42",
    parts: Sequence[tuple[str, str, bytes]] = (PICTURE, WORDS),
    smil: str | None = SMIL,
    subject: str = "Hello",
    delivery_report: str = "true",
    elements: str | None = None,
) -> Post:
    """The golden message of the MM7 wire page. `elements` stands in for everything between version and content."""
    middle = elements or (
        "<SenderIdentification><VASPID>v</VASPID><VASID>28444mms</VASID><SenderAddress><ShortCode>28444</ShortCode>"
        f"</SenderAddress></SenderIdentification>\r\n<Recipients><To><Number>{to}</Number></To></Recipients>\r\n"
        "<TimeStamp>2026-01-02T09:30:47Z</TimeStamp>\r\n<ExpiryDate>2026-01-05T09:30:47Z</ExpiryDate>\r\n"
        f"<DeliveryReport>{delivery_report}</DeliveryReport>\r\n<ReadReply>false</ReadReply>\r\n"
        f"<Priority>Normal</Priority>\r\n<Subject>{subject}</Subject>"
    )
    soap = (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>\r\n'
        f'<mm7:TransactionID xmlns:mm7="{REL_6}" env:mustUnderstand="1">{transaction}</mm7:TransactionID>\r\n'
        f'</env:Header><env:Body>\r\n<SubmitReq xmlns="{REL_6}">\r\n<MM7Version>6.8.0</MM7Version>\r\n{middle}\r\n'
        '<Content href="cid:content.7@gw.example" allowAdaptations="false"/>\r\n'
        "</SubmitReq></env:Body></env:Envelope>"
    )
    presentation = [] if smil is None else [part("show.smil", "application/smil; charset=utf-8", smil.encode())]
    inner = b"".join(_binary_part("inner1", *one) for one in [*presentation, *parts])
    body = (
        b"--outer1\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <soap.42@gw.example>\r\n\r\n"
        + soap.encode()
        + b'\r\n--outer1\r\nContent-Type: multipart/related; boundary=inner1; type="application/smil"; '
        b'start="<show.smil>"\r\nContent-ID: <content.7@gw.example>\r\n\r\n'
        + inner
        + b"--inner1--\r\n\r\n--outer1--\r\n"
    )
    content_type = 'multipart/related; boundary=outer1; type="text/xml"; start="<soap.42@gw.example>"'
    return Post(content_type=content_type, body=body)


def flat(
    to: str = "12399471613",
    *,
    href: str = "cid:show.smil",
    namespace: str = REL_6,
    version: str = "6.8.0",
    vaspid: str = "v",
    soap_first: bool = True,
    boundary: str = "outer1",
    encode: bool = False,
    more: str = "",
) -> Post:
    """The golden message with its parts beside the SOAP part. `more` stands before the Content element."""
    soap = (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>'
        f'<mm7:TransactionID xmlns:mm7="{namespace}">42</mm7:TransactionID></env:Header><env:Body>'
        f'<SubmitReq xmlns="{namespace}"><MM7Version>{version}</MM7Version>'
        f"<SenderIdentification><VASPID>{vaspid}</VASPID><VASID>28444mms</VASID><SenderAddress>"
        "<ShortCode>28444</ShortCode></SenderAddress></SenderIdentification>"
        f"<Recipients><To><Number>{to}</Number></To></Recipients>{more}"
        f'<Content href="{href}"/></SubmitReq></env:Body></env:Envelope>'
    )
    presentation = part("show.smil", "application/smil", SMIL.encode())
    write = _base64_part if encode else _binary_part
    parts = [write(boundary, *one) for one in (presentation, PICTURE, WORDS)]
    envelope = (
        f"--{boundary}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <soap>\r\n\r\n{soap}\r\n".encode()
    )
    ordered = [envelope, *parts] if soap_first else [*parts, envelope]
    return Post(
        content_type=f'multipart/related; boundary="{boundary}"; type="text/xml"; start="<soap>"',
        body=b"".join(ordered) + f"--{boundary}--\r\n".encode(),
    )


def _base64_part(boundary: str, name: str, content_type: str, body: bytes) -> bytes:
    encoded = _binary_part(boundary, name, content_type, base64.b64encode(body))
    return encoded.replace(b"Content-Transfer-Encoding: binary", b"Content-Transfer-Encoding: base64")


def _binary_part(boundary: str, name: str, content_type: str, body: bytes) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: {content_type}; name="{name}"\r\nContent-ID: <{name}>\r\n'
        f"Content-Location: {name}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    return head.encode() + body + b"\r\n"


def mmsbox(to: str = "15550001111", *, transaction: str = "qf9254.1.x78.37") -> Post:
    """As mmsbox writes it: unquoted parameters, Content-IDs like <cTIME.RAND.Xx.msg>, base64, cid: references."""
    soap = (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">\n<SOAP-ENV:Header>\n'
        f'<mm7:TransactionID xmlns:mm7="{REL_5}" SOAP-ENV:mustUnderstand="1">{transaction}</mm7:TransactionID>\n'
        f'</SOAP-ENV:Header>\n<SOAP-ENV:Body>\n<mm7:SubmitReq xmlns:mm7="{REL_5}">\n'
        "<mm7:MM7Version>5.3.0</mm7:MM7Version>\n<mm7:SenderIdentification>\n<mm7:VASPID>vasp</mm7:VASPID>\n"
        "<mm7:VASID>111</mm7:VASID>\n<mm7:SenderAddress><mm7:ShortCode>111</mm7:ShortCode></mm7:SenderAddress>\n"
        f"</mm7:SenderIdentification>\n<mm7:Recipients>\n<mm7:To>\n<mm7:Number>+{to}/TYPE=PLMN</mm7:Number>\n"
        "</mm7:To>\n</mm7:Recipients>\n<mm7:DeliveryReport>1</mm7:DeliveryReport>\n"
        "<mm7:Priority>High</mm7:Priority>\n<mm7:Subject>R&amp;B &#252;ber alles</mm7:Subject>\n"
        '<mm7:Content href="cid:c1796080000.0043.2x.msg"/>\n</mm7:SubmitReq>\n'
        "</SOAP-ENV:Body>\n</SOAP-ENV:Envelope>"
    )
    smil = '<smil><body><par dur="5s"><img src="cid:pic.1"/><text src="cid:txt.1"/></par></body></smil>'
    lines = base64.encodebytes(PNG).decode().replace("\n", "\r\n")
    body = (
        "--bd_0123456789ABCDEF\r\nContent-Type: text/xml\r\nContent-ID: <c1796080000.0042.1x.msg>\r\n\r\n"
        f"{soap}\r\n--bd_0123456789ABCDEF\r\nContent-Type: multipart/related; type=application/smil; "
        "start=<presentation>; boundary=bd_inner\r\nContent-ID: <c1796080000.0043.2x.msg>\r\n\r\n"
        f"--bd_inner\r\nContent-Type: application/smil\r\nContent-ID: <presentation>\r\n\r\n{smil}\r\n"
        "--bd_inner\r\nContent-Type: image/png; name=pic.png\r\nContent-ID: <pic.1>\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{lines}\r\n"
        "--bd_inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-ID: <txt.1>\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
        "--bd_inner--\r\n--bd_0123456789ABCDEF--\r\n"
    )
    content_type = (
        'multipart/related; type="text/xml"; start="<c1796080000.0042.1x.msg>"; boundary=bd_0123456789ABCDEF'
    )
    return Post(content_type=content_type, body=body.encode())


def mixed(to: str = "15550001111") -> Post:
    """Content in a nested multipart/mixed without SMIL, no start parameter, SOAP as application/xml."""
    soap = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<TransactionID xmlns="{REL_6}">m1</TransactionID></s:Header>'
        f'<s:Body><SubmitReq xmlns="{REL_6}"><MM7Version>6.8.0</MM7Version>'
        "<SenderIdentification><SenderAddress><Number>12125550100</Number></SenderAddress></SenderIdentification>"
        f"<Recipients><To><Number>{to}</Number></To></Recipients>"
        '<Content href="cid:all"/></SubmitReq></s:Body></s:Envelope>'
    )
    body = (
        f"--o\r\nContent-Type: application/xml\r\n\r\n{soap}\r\n"
        "--o\r\nContent-Type: multipart/mixed; boundary=i\r\nContent-ID: <all>\r\n\r\n"
        "--i\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
        "--i\r\nContent-Type: image/gif\r\nContent-Location: b.gif\r\n\r\nGIF89a\r\n"
        "--i\r\nContent-Type: text/x-vCard; name=me.vcf\r\n\r\nBEGIN:VCARD\r\n"
        "--i--\r\n--o--\r\n"
    )
    return Post(content_type="multipart/related; boundary=o", body=body.encode())
