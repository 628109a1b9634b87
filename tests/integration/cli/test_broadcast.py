"""The list of ``mmsgate send --to-file``."""

from pathlib import Path
from typing import cast

import pytest

from mmsgate.cli.broadcast import ListFault, Mailing, Row, read_rows
from mmsgate.http import Pool
from mmsgate.wire.document import read_document


def rows_of(tmp_path: Path, text: str) -> list[Row]:
    path = tmp_path / "numbers.csv"
    path.write_text(text, encoding="utf-8")
    return read_rows(path)


def mailing() -> Mailing:
    return Mailing(
        mms_id="5", sender="28444", service_id="32113", fallback_text="", api_key="k", url="http://x",
        pool=cast("Pool", None),
    )  # fmt: skip


def test_numbers_alone_need_no_header(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "12065550100\n\n+1 206-555-0101\n")
    assert [(row.line, row.to, dict(row.data)) for row in rows] == [(1, "12065550100", {}), (3, "12065550101", {})]


def test_a_header_names_the_merge_tags(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, '\ufeffnumber,first_name,seat\n12065550100, Ada ,"7,A"\n')
    assert (row.to, dict(row.data)) == ("12065550100", {"first_name": "Ada", "seat": "7,A"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"), ("number,first name\n12065550100,Ada\n", "'first name' can be no merge tag"),
        ("12065550100\nAda\n", "line 2: 'Ada' is no number"),
    ],
)  # fmt: skip
def test_a_list_that_is_of_no_use_names_its_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ListFault, match=words):
        rows_of(tmp_path, text)


def test_a_document_carries_any_data() -> None:
    root = read_document(mailing().document(Row(line=1, to="12065550100", data={"name": "<Ada> & co"})))
    assert (root.findtext("mms-id"), root.findtext("data/name")) == ("5", "<Ada> & co")


def test_the_same_row_has_the_same_key_and_another_has_another() -> None:
    row = Row(line=1, to="12065550100", data={"a": "1", "b": "2"})
    assert mailing().key(row) == mailing().key(Row(line=9, to="12065550100", data={"b": "2", "a": "1"}))
    assert mailing().key(row) != mailing().key(Row(line=1, to="12065550100", data={"a": "2", "b": "1"}))
