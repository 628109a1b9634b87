"""Settings and their page."""

from pathlib import Path

from mmsgate.config import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_the_page_of_the_settings_says_what_the_program_says() -> None:
    """``mmsgate config`` prints the block of the page."""
    assert reference().strip() in PAGE.read_text(encoding="utf-8")
