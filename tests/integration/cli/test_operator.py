"""``mmsgate operator``."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mmsgate.clock import DAY, SystemClock
from mmsgate.store import KnownNumber, NumberSource, Store
from tests.integration.cli.conftest import Shell

NUMBER = "12065550100"
NOW = SystemClock().now()


def learn(shell: Shell, operator: str, *, mms: bool = True, number: str = NUMBER) -> None:
    shell.store(
        lambda store: store.numbers.learn(
            number, operator, source=NumberSource.CARRIER, at=NOW - 2 * DAY, expires_at=NOW + 30 * DAY, mms=mms
        )
    )


def known(shell: Shell, number: str = NUMBER) -> KnownNumber | None:
    async def look(store: Store) -> KnownNumber | None:
        return await store.numbers.get(number, now=NOW)

    return shell.store(look)


@contextmanager
def a_hook(answer: dict[str, object], asked: list[str]) -> Iterator[str]:
    """A lookup that always says the same; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not into the test's output."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{{number}}"
        server.shutdown()
        thread.join()


def test_the_table_shows_every_id_of_an_operator(shell: Shell) -> None:
    listed = shell.succeeds("operator", "list")
    (verizon,) = [line.split() for line in listed.splitlines() if "Verizon" in line]
    assert verizon == ["31003", "Verizon", "US", "0001890", "310012", "0"]


def test_an_operator_is_added_changed_and_removed(shell: Shell) -> None:
    shell.succeeds(
        "operator", "add", "23415", "Vodafone", "--country", "gb", "--spid", "0044150", "--alias", "2341",
        "--alias", "23491",
    )  # fmt: skip
    assert "Vodafone      GB       0044150  2341, 23491" in shell.succeeds("operator", "list")
    assert shell.succeeds("operator", "add", "23415", "Vodafone UK", "--country", "GB") == (
        "23415 Vodafone UK is an operator now\n"
    )
    assert "0044150" not in shell.succeeds("operator", "list")
    shell.succeeds("operator", "remove", "23415")
    assert "Vodafone" not in shell.succeeds("operator", "list")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("add", "31002", "Other", "--country", "US"), "31002 is AT&T's already"),
        (("add", "vf", "Vodafone", "--country", "GB"), "'vf' is no operator id"),
        (("add", "23415", "Vodafone"), "Missing option '--country'"),
        (("remove", "31002"), "31002 AT&T is built in"),
        (("remove", "23415"), "no operator '23415' was added"),
        (("lookup", "123"), "it must be one international number of 8 to 15 digits"),
        (("import", "nowhere.csv"), "does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(shell: Shell, words: tuple[str, ...], complaint: str) -> None:
    assert complaint in shell.fails("operator", *words)


def test_adding_an_operator_makes_numbers_of_unknown_operators_be_asked_for_anew(shell: Shell) -> None:
    learn(shell, "")
    learn(shell, "31002", number="12065550101")
    shell.succeeds("operator", "add", "23415", "Vodafone", "--country", "GB")
    assert known(shell) is None
    assert known(shell, "12065550101")


def test_prefixes_are_imported_and_take_the_place_of_the_old(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "prefixes.csv"
    file.write_text("prefix,operator-id\n1206,31002\n1207,31003\n1208,31003\n", encoding="utf-8-sig")
    assert shell.succeeds("operator", "import", str(file)) == "3 prefixes of 2 operators\n"
    file.write_text("1206,31004\n", encoding="utf-8")
    shell.succeeds("operator", "import", str(file))
    said = shell.succeeds("operator", "lookup", NUMBER)
    assert said.splitlines() == [
        "number cache  knows nothing of it",
        "lookup        none is configured (the setting lookup_url)",
        "prefixes      1206 is 31004 T-Mobile US",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"1206,31002\n1206,31003\n", "line 2: 1206 is 31003's here and 31002's in line 1"),
        (b"1206,31002\n1207,99999\n", "line 2: there is no operator '99999'"),
        ("Vorwahl ö".encode("latin-1"), "it is not UTF-8"),
    ],
)
def test_a_list_that_is_wrong_changes_nothing(shell: Shell, tmp_path: Path, text: bytes, complaint: str) -> None:
    file = tmp_path / "prefixes.csv"
    file.write_bytes(b"1206,31005\n")
    shell.succeeds("operator", "import", str(file))
    file.write_bytes(text)
    said = shell.fails("operator", "import", str(file))
    assert complaint in said
    assert "nothing was changed" in said
    assert "1206 is 31005 Sprint" in shell.succeeds("operator", "lookup", NUMBER)


def test_what_is_known_of_a_number_is_shown_and_forgotten(shell: Shell) -> None:
    learn(shell, "31002", mms=False)
    said = shell.succeeds("operator", "lookup", "+1 206 555 0100")
    assert "number cache  31002 AT&T, takes no MMS; told by a carrier 2 days ago, good for 30 days more" in said
    assert "the number cache knows the number; --fresh asks it" in said
    assert shell.succeeds("operator", "forget", NUMBER) == f"{NUMBER} is forgotten\n"
    assert shell.succeeds("operator", "forget", NUMBER) == f"the number cache knew nothing of {NUMBER}\n"


def test_the_lookup_is_asked_where_the_cache_knows_nothing_or_when_it_is_wanted_fresh(shell: Shell) -> None:
    asked: list[str] = []
    with a_hook({"operator-id": 1890, "ttl": 3600}, asked) as url:
        (shell.settings.data_dir / "mmsgate.toml").write_text(f'lookup_url = "{url}"', encoding="utf-8")
        first = shell.succeeds("operator", "lookup", NUMBER)
        shell.succeeds("operator", "lookup", NUMBER)
        shell.succeeds("operator", "lookup", NUMBER, "--fresh")
    assert "lookup        31003 Verizon; told by a lookup just now, good for 60 minutes more" in first
    assert asked == [f"/{NUMBER}"] * 2
    found = known(shell)
    assert found
    assert (found.operator, found.source) == ("31003", NumberSource.LOOKUP)


def test_a_lookup_that_fails_says_why(shell: Shell) -> None:
    asked: list[str] = []
    with a_hook({"carrier": "Verizon"}, asked) as url:
        (shell.settings.data_dir / "mmsgate.toml").write_text(f'lookup_url = "{url}"', encoding="utf-8")
        said = shell.succeeds("operator", "lookup", NUMBER)
    assert "the lookup's answer can't be read: Object missing required field `operator-id`" in said


def test_a_profile_may_name_an_operator_that_was_added_by_any_spelling(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "uk.toml"
    file.write_text(
        'base = "3gpp"\nname = "uk"\nendpoints = ["https://mmsc.example/mm7"]\n[auth]\nkind = "none"\n'
        '[mm7]\nvaspid = "v"\n[reach]\noperators = ["2341"]\n'
    )
    assert "there is no operator 2341" in shell.fails("carrier", "import", str(file))
    shell.succeeds("operator", "add", "23415", "Vodafone", "--country", "GB", "--alias", "2341")
    shell.succeeds("carrier", "import", str(file))
    assert "23415" in shell.succeeds("carrier", "list")
