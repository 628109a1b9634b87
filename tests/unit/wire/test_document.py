"""The safe reader: what is hostile never reaches the parser, what is honest always does."""

import gc
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmsgate.errors import Refusal
from mmsgate.wire import document
from mmsgate.wire.document import MAX_ATTRIBUTES, MAX_TAGS, looks_like_xml, read_document

BOM_8 = b"\xef\xbb\xbf"


def refused(body: bytes | str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_document(body)
    return caught.value


@pytest.fixture
def parser_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any use of the parser a failure."""

    def never(text: str) -> None:
        pytest.fail(f"the parser was given {len(text):,} characters")

    monkeypatch.setattr(document, "_build", never)


DOCTYPES = [
    "<!DOCTYPE request>",
    '<!DOCTYPE request [<!ENTITY a "b">]>',
    '<!DOCTYPE request SYSTEM "file:///etc/passwd">',
    "<!doctype request>",
    "\n\n<!-- <hidden> --> <?pi ?><!DOCTYPE request>",
    "<!-- ?> --><!DOCTYPE request>",
    "<?pi --> <!-- ?><!DOCTYPE request>",
    '<!ENTITY a "b">',
]


@pytest.mark.usefixtures("parser_is_closed")
class TestRefusedBeforeTheParser:
    @pytest.mark.parametrize("doctype", DOCTYPES)
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_a_doctype_in_any_encoding(self, doctype: str, encoding: str) -> None:
        refusal = refused(f"{doctype}<request/>".encode(encoding))
        assert refusal.code == "E108"
        assert "DOCTYPE" in refusal.detail

    @pytest.mark.parametrize("declared", ["US-ASCII", "ISO-8859-1", "windows-1252", "utf8"])
    def test_a_doctype_under_a_declared_encoding(self, declared: str) -> None:
        text = f"<?xml version='1.0' encoding='{declared}'?><!DOCTYPE a><a/>"
        assert "DOCTYPE" in refused(text.encode()).detail

    def test_a_billion_laughs(self) -> None:
        levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        assert refused(f'<!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a>&l9;</a>').code == "E108"

    @pytest.mark.parametrize(
        "body",
        [
            b"<request>" + b"<a>" * 150_000,
            b"<request>" + b"<a/>" * 150_000 + b"</request>",
            b"<" * 1_000_000,
            b"<request>" + b"<!---->" * 100_000 + b"</request>",
            ("<request>" + "<a/>" * 100_000).encode("utf-16"),
        ],
        ids=["nested", "flat", "brackets", "comments", "utf-16"],
    )
    def test_too_many_tags(self, body: bytes) -> None:
        refusal = refused(body)
        assert refusal.code == "E108"
        assert f"{MAX_TAGS:,} are allowed" in refusal.detail

    @pytest.mark.parametrize("form", ["a{}=''", 'a{} = ""', "xmlns:a{}='u'", "a{}\n=\n'&lt;'"])
    def test_too_many_attributes(self, form: str) -> None:
        attributes = " ".join(form.format(number) for number in range(60_000))
        refusal = refused(f"<request {attributes}/>")
        assert refusal.code == "E108"
        assert f"{MAX_ATTRIBUTES:,} are allowed" in refusal.detail

    @pytest.mark.parametrize(
        "body",
        [
            b"<request>\xff</request>",
            b"<request>\xc3</request>",
            b"<request>\xc0\xbc</request>",  # an overlong <
            b"<request>\xed\xa0\x80</request>",  # a surrogate
            BOM_8 + b"<request>\xe9</request>",
            b"<?xml version='1.0' encoding='us-ascii'?><request>\xe9</request>",
            b"<?xml version='1.0' encoding='windows-1252'?><request>\x81</request>",
            "<request/>".encode("utf-16")[:-1],
            b"\xff\xfe<\x00\x00\xd8/\x00>\x00",  # half a surrogate pair
        ],
    )
    def test_bytes_that_are_not_in_their_encoding(self, body: bytes) -> None:
        refusal = refused(body)
        assert refusal.code == "E108"
        assert "is not" in refusal.detail

    @pytest.mark.parametrize(
        "name", ["UTF-7", "UTF-32", "EBCDIC-CP-US", "Shift_JIS", "rot13", "unicode_escape", "", "x" * 300]
    )
    def test_an_encoding_that_is_not_supported(self, name: str) -> None:
        assert refused(f"<?xml version='1.0' encoding='{name}'?><request/>".encode()).code == "E108"

    def test_utf_16_that_is_only_declared(self) -> None:
        assert "UTF-16" in refused(b"<?xml version='1.0' encoding='UTF-16'?><request/>").detail

    def test_a_head_of_nothing_but_comments(self) -> None:
        assert "before the root" in refused(b"<!-- -->" * 200 + b"<request/>").detail

    @pytest.mark.parametrize(
        "body",
        [
            b"<request>\x00</request>",
            "<request>\0</request>".encode("utf-16"),
            "<request/>".encode("utf-32"),
            "<request/>".encode("utf-32-be"),
            "<request/>".encode("utf-32-le"),
        ],
    )
    def test_nul_and_with_it_utf_32(self, body: bytes) -> None:
        assert "NUL" in refused(body).detail

    @pytest.mark.parametrize("body", [b"", b" \r\n\t", BOM_8, "\ufeff\n".encode("utf-16-le"), ""])
    def test_nothing_is_no_request(self, body: bytes | str) -> None:
        assert refused(body).code == "E100"


@pytest.mark.parametrize(
    "body",
    [
        b"<request>",
        b"<request></Request>",
        b"<request/><request/>",
        b"<request/><!DOCTYPE request>",
        b"<request>&unknown;</request>",
        b"<request>&#0;</request>",
        b"<request>\x01</request>",
        b"<request a='1' a='2'/>",
        b"<a:request/>",
        b"hello",
        b"<request>]]></request>",
        b"< request/>",
        "<request>\ud800</request>",
    ],
)
def test_what_is_not_well_formed_is_refused_with_the_place(body: bytes | str) -> None:
    refusal = refused(body)
    assert refusal.code == "E108"
    assert "line" in refusal.detail or "surrogates" in refusal.detail


@pytest.mark.parametrize(
    "body",
    [
        "<request><to>Grüße</to></request>".encode(),
        BOM_8 + "<request><to>Grüße</to></request>".encode(),
        "<?xml version='1.0' encoding='utf8'?><request><to>Grüße</to></request>".encode(),
        '<?xml version="1.0" encoding="ISO-8859-1"?><request><to>Grüße</to></request>'.encode("latin-1"),
        "<?xml version='1.0' encoding = 'windows-1252' standalone='yes'?><request><to>Grüße</to></request>".encode(
            "cp1252"
        ),
        "<?xml version='1.0' encoding='UTF-16'?><request><to>Grüße</to></request>".encode("utf-16"),
        "<?xml version='1.0' encoding='UTF-16LE'?><request><to>Grüße</to></request>".encode("utf-16-le"),
        "\ufeff<request><to>Grüße</to></request>".encode("utf-16-be"),
        "\n <request><to>Grüße</to></request>".encode("utf-16-be"),
        BOM_8 + "<?xml version='1.0' encoding='latin1'?><request><to>Grüße</to></request>".encode(),
        b"\r\n  <?xml version='1.0'?>\n<!-- a < b --><request><to>Gr&#252;&#xDF;e</to></request>\n",
        "<?xml version='1.0' encoding='ISO-8859-1'?><request><to>Grüße</to></request>",  # a form field
    ],
)
def test_the_supported_encodings_with_and_without_a_bom(body: bytes | str) -> None:
    [to] = read_document(body)
    assert to.text == "Grüße"


def test_ascii_is_ascii() -> None:
    assert read_document(b"<?xml version='1.0' encoding='US-ASCII'?><request>ok</request>").text == "ok"


@pytest.mark.parametrize("text", ["<!DOCTYPE html>", "=" * 30_000, "\"'" * 30_000, "<!ENTITY"])
def test_texts_keep_what_looks_hostile(text: str) -> None:
    root = read_document(f"<request><!-- <!DOCTYPE x> --><a><![CDATA[{text}]]></a></request>")
    assert root[0].text == text


def test_comments_and_instructions_leave_no_gap_in_a_text() -> None:
    root = read_document(b"<request><to>1239<!-- x -->947<?y z?>16<![CDATA[13]]></to></request>")
    assert root[0].text == "12399471613"


def flat(seed: int) -> bytes:
    return b"<r>" + b"".join(b"<n%d-%d-%s/>" % (seed, n, b"x" * 30) for n in range(MAX_TAGS - 2)) + b"</r>"


def nested(_: int) -> bytes:
    depth = MAX_TAGS // 2
    return b"<a>" * depth + b"</a>" * depth


def attributes(seed: int) -> bytes:
    return b"<r " + b" ".join(b"n%d-%d=''" % (seed, n) for n in range(MAX_ATTRIBUTES)) + b"/>"


@pytest.mark.parametrize("make", [flat, nested, attributes])
def test_the_most_that_is_read_costs_little_and_leaves_nothing(make: Callable[[int], bytes]) -> None:
    """A parser that keeps the names it has seen would grow with each of these documents, for good.

    Expat takes its memory from Python's allocator, so tracemalloc sees all of it.
    """
    bodies = [make(seed) for seed in range(2)]
    read_document(bodies[0])
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        read_document(bodies[1])
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000
    assert peak - before < 24_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"<!--" + b"-" * 1_000_000,
        b"<?" + b"?" * 1_000_000,
        b"<?xml " + b" " * 1_000_000,
        b"<?xml " + b"encoding=" * 100_000,
        b"<?a?>" * 19_000 + b" " * 900_000,
        b"<!-- -->" * 19_000 + b"<" * 500,
        b" " * 1_000_000 + b"<",
        b"<a>" + b"&amp;" * 200_000,
    ],
    ids=lambda body: body[:12].decode(),
)
def test_refusing_a_megabyte_is_quick(body: bytes) -> None:
    started = time.process_time()
    assert refused(body).code == "E108"
    assert time.process_time() - started < 2  # seconds; it takes 10 ms, minutes if something looks twice


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<request/>", True),
        (b" \r\n\t<request/>", True),
        (BOM_8 + b"\n<request/>", True),
        ("<request/>".encode("utf-16"), True),
        (" <request/>".encode("utf-16-be"), True),
        ("\ufeff\n<request/>".encode("utf-16-be"), True),
        (b"", False),
        (b"   ", False),
        (b"<", True),
        (b"xml=%3Crequest%2F%3E", False),
        (b'{"action": "sendmms"}', False),
        (b"\xff\xfe", False),
        (b"\x00\x00\x00<", False),
    ],
)
def test_looks_like_xml(body: bytes, *, expected: bool) -> None:
    assert looks_like_xml(body) is expected


def outcome(body: bytes | str) -> str:
    try:
        return read_document(body).tag
    except Refusal as refusal:
        return refusal.code


@settings(max_examples=60)
@given(st.binary(max_size=100) | st.text(max_size=100))
def test_any_bytes_are_refused_in_order(body: bytes | str) -> None:
    assert outcome(body) in {"E100", "E108"}


@settings(max_examples=40)
@given(text=st.text(alphabet="é☀a ", max_size=20), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_text_is_read_in_any_encoding(text: str, encoding: str) -> None:
    assert (read_document(f"<r>{text}</r>".encode(encoding)).text or "") == text
