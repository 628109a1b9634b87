"""Hostile and broken requests: a clear answer each, and the gateway goes on as if nothing had been."""

import asyncio
import io
import json
import zipfile
import zlib

import pytest

from mmsgate.carriers.profile import Reporting
from mmsgate.domain.account import Account, hash_key
from tests.integration.api.conftest import KEY, Api, demo, elements, medium, request
from tests.unit.builders import NOW

DOCTYPE = '<!DOCTYPE request [<!ENTITY x "y">]>'
METADATA = (
    "http://169.254.169.254/", "http://169.254.169.254:80/x.jpg", "http://2852039166/", "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/",
    "http://169.254.169.254./", "http://１６９.254.169.254/", "http://user@169.254.169.254/", "http://[fd00:ec2::254]/",
    "http://localhost/", "http://127.1/", "http://0/", "http://[::1]/", "http://[::]/", "http://10.0.0.1/",
    "http://100.64.0.1/", "http://192.168.0.1/", "http://[fe80::1]/", "ftp://example.com/x", "file:///etc/passwd",
)  # fmt: skip


def zip_bomb() -> bytes:
    """A pass of a few kilobytes that unpacks to 64 MB."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pass.json", "{}")
        archive.writestr("bomb.png", bytes(64 << 20))
    return made.getvalue()


async def code_of(api: Api, body: str | bytes) -> str:
    return dict(elements((await api.post(body)).body))["error-code"]


async def still_works(api: Api) -> None:
    assert elements((await api.post(request())).body)[0] == ("status", "Success")


@pytest.mark.parametrize(
    "body",
    [
        DOCTYPE + request(),
        f'<?xml version="1.0" encoding="UTF-16"?>{DOCTYPE}{request()}'.encode("utf-16"),
        "<request>&x;</request>",
        "<request>" + "<a>" * 150_000 + "</a>" * 100,
        "<request>" + "<a/>" * 150_000 + "</request>",
        "<request " + " ".join(f'a{n}="1"' for n in range(60_000)) + "/>",
        request().encode().replace(b"hello", b"\xff\xfe\xfa"),
        request().encode().replace(b"hello", b"\x00"),
        "<request><to>",
        "not xml at all",
    ],
    ids=["doctype", "doctype-utf16", "entity", "nested", "flat", "attributes", "bad-utf8", "nul", "cut", "text"],
)  # fmt: skip
async def test_a_document_that_is_not_read(body: str | bytes, api: Api) -> None:
    assert await code_of(api, body) == "E108"
    await still_works(api)


async def test_a_document_over_a_megabyte_is_413(api: Api) -> None:
    answered = await api.post(request(name="n" * (1 << 20)))
    assert answered.status == 413
    assert dict(elements(answered.body))["error-code"] == "E100"
    assert "1,048,576" in answered.headers["x-error-detail"]
    await still_works(api)


async def test_an_empty_body_and_a_wrong_method(api: Api) -> None:
    assert await code_of(api, b"  \n ") == "E100"
    answered = await api.get("/ep/v1/")
    assert (answered.status, dict(elements(answered.body))["error-code"]) == (200, "E100")


@pytest.mark.parametrize("body", [b"", b"hello", b"foo=bar", "größe=1".encode("latin-1")])
async def test_a_skycore_call_that_is_no_request_is_e100(body: bytes, api: Api) -> None:
    """codes.csv, E100: neither a GET with parameters nor a POST whose xml field holds a request."""
    path = "/API/wxml/1.3/"
    answered = await api.post(body, path) if body else await api.get(path)
    assert dict(elements(answered.body))["ERRORCODE"] == "E100"


@pytest.mark.parametrize("form", [False, True], ids=["query", "form"])
async def test_more_fields_than_are_read_are_e100(form: bool, api: Api) -> None:
    path, fields = "/API/wxml/1.3/", "&".join(f"f{number}=1" for number in range(201))
    answered = await api.post(fields, path) if form else await api.get(f"{path}?{fields}")
    assert dict(elements(answered.body))["ERRORCODE"] == "E100"
    assert "200 fields" in answered.headers["x-error-detail"]


@pytest.mark.parametrize("url", METADATA)
async def test_no_spelling_reaches_the_inside(url: str, api: Api) -> None:
    answered = await api.post(request(slides=medium("image", url)))
    assert dict(elements(answered.body))["error-code"] == "E351"
    assert api.origin.asked == []


async def test_a_redirect_to_the_inside_is_not_followed(api: Api) -> None:
    api.origin.answers["/go"] = (
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    )
    answered = await api.post(request(slides=medium("image", api.origin.url("/go"))))
    assert dict(elements(answered.body))["error-code"] == "E351"
    assert "fetch_allow" in answered.headers["x-error-detail"]


async def test_redirects_in_a_circle(api: Api) -> None:
    api.origin.answers["/a"] = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    api.origin.answers["/b"] = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"
    answered = await api.post(request(slides=medium("image", api.origin.url("/a"))))
    assert dict(elements(answered.body))["error-code"] == "E351"
    assert "circle" in answered.headers["x-error-detail"]


async def test_an_origin_that_lies_about_its_length(api: Api) -> None:
    body = demo("small.jpg")
    api.origin.answers["/short.jpg"] = (
        f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:100]
    )
    task = asyncio.create_task(api.post(request(slides=medium("image", api.origin.url("/short.jpg")))))
    while not api.origin.asked:
        await asyncio.sleep(0)
    for writer in list(api.origin._writers):
        writer.close()
    assert dict(elements((await task).body))["error-code"] == "E351"
    announced = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    api.origin.answers["/huge.jpg"] = announced
    assert await code_of(api, request(slides=medium("image", api.origin.url("/huge.jpg")))) == "E331"


def png(width: int, height: int) -> bytes:
    """A PNG of black pixels: tiny on the wire, huge when decoded."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


async def test_a_picture_of_14000_by_14000_pixels(api: Api) -> None:
    url = api.origin.file("/bomb.png", png(14_000, 14_000))
    answered = await api.post(request(slides=medium("image", url)))
    assert dict(elements(answered.body))["error-code"] == "E341"
    assert "14000 x 14000 pixels" in answered.headers["x-error-detail"]
    await still_works(api)


@pytest.mark.parametrize(
    ("kind", "name", "data", "words"),
    [
        ("video", "film.mp4", b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/secret.ts\n", "an HLS playlist"),
        ("video", "film.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "concat script"),
        ("image", "x.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
         "SVG"),
        ("passbook", "x.pkpass", zip_bomb(), "unpack to"),
        ("audio", "x.mp3", b"RIFF\x04\x00\x00\x00AVI ", "video/x-msvideo"),
    ],
    ids=["playlist", "concat", "svg", "zip bomb", "video as sound"],
)  # fmt: skip
async def test_a_file_that_is_something_else_is_named(
    kind: str, name: str, data: bytes, words: str, api: Api
) -> None:
    answered = await api.post(request(slides=medium(kind, api.origin.file(f"/{name}", data))))
    assert dict(elements(answered.body))["error-code"] == "E229"
    assert words in answered.headers["x-error-detail"]
    assert api.origin.asked == [f"/{name}"]
    await still_works(api)


async def test_a_pdf_of_100_megabytes_is_not_read(api: Api) -> None:
    """Its length alone is enough."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 104857600\r\n\r\n%PDF-1.7"
    api.origin.answers["/big.pdf"] = head
    answered = await api.post(request(slides=medium("pdf", api.origin.url("/big.pdf"))))
    assert dict(elements(answered.body))["error-code"] == "E337"
    assert "104,857,600" in answered.headers["x-error-detail"]
    await still_works(api)


async def test_another_accounts_ids_are_unknown(api: Api) -> None:
    accepted = dict(elements((await api.post(request())).body))
    path = f"/messages/{accepted['tracking-id']}"
    assert (await api.get(path, X_Api_Key=KEY)).status == 200
    other = await api.gateway.store.accounts.create("other", Account(id=0, name="other"), at=NOW)
    await api.gateway.store.accounts.add_key(other, hash_key("mg_other"), label="", hint="", at=NOW)
    await api.gateway.watch.refresh()
    assert (await api.get(path, X_Api_Key="mg_other")).status == 404
    assert (await api.get(path, X_Api_Key="mg_nobody")).status == 401
    assert (await api.get("/messages/nothing", X_Api_Key=KEY)).status == 404


async def test_the_newest_message_of_all_accounts_is_nobodys_to_ask_for(api: Api) -> None:
    """It would tell a customer whether others have sent since."""
    await api.post(request())
    assert (await api.get("/messages/latest", X_Api_Key=KEY)).status == 404


async def test_another_accounts_upload_is_not_found(api: Api) -> None:
    uploaded = await api.post(demo("small.jpg"), "/media", X_Api_Key=KEY)
    assert uploaded.status == 201
    url = json.loads(uploaded.body)["url"]
    assert elements((await api.post(request(slides=medium("image", url)))).body)[0] == ("status", "Success")
    other = await api.gateway.store.accounts.create("other", Account(id=0, name="other"), at=NOW)
    await api.gateway.store.accounts.add_key(other, hash_key("mg_other"), label="", hint="", at=NOW)
    for sender in api.account.senders.values():
        await api.gateway.store.accounts.put_sender(other, sender)
    await api.gateway.watch.refresh()
    assert await code_of(api, request(slides=medium("image", url), api_key="mg_other")) == "E351"


async def test_an_upload_that_is_no_medium_is_refused(api: Api) -> None:
    assert (await api.post(b"<html></html>" * 9, "/media", X_Api_Key=KEY)).status == 400
    assert (await api.post(demo("small.jpg"), "/media", X_Api_Key="mg_wrong")).status == 401


async def test_a_report_without_credentials_or_sense(api: Api) -> None:
    assert (await api.post(b"<a/>", "/mm7/nobody")).status == 404
    answered = await api.post(b"<a/>", "/mm7/dead", Content_Type="text/xml")
    assert b"RSErrorRsp" in answered.body
    assert (await api.post(b"x" * 2_000_000, "/mm7/dead")).status == 413
    await api.carrier(reports=Reporting(user="carrier", password="secret"))
    assert (await api.post(b"<a/>", "/mm7/dead")).status == 401
