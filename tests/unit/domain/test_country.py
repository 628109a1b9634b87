"""Which country a number belongs to."""

import pytest

from mmsgate.domain.country import COUNTRIES, country_of


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("12065550100", "US"),
        ("18005550100", "US"),
        ("14165550123", "CA"),
        ("19025550123", "CA"),
        ("17875550123", "PR"),
        ("18095550123", "DO"),
        ("18765550123", "JM"),
        ("447712345678", "GB"),
        ("4915123456789", "DE"),
        ("79161234567", "RU"),
        ("77011234567", "KZ"),
        ("393123456789", "IT"),
        ("35845123456", "FI"),
        ("3581845678", "AX"),
        ("35312345678", "IE"),
        ("21612345678", "TN"),
        ("9991234567", ""),
        ("2101234567", ""),
        ("", ""),
    ],
)
def test_the_longest_prefix_decides(number: str, country: str) -> None:
    assert country_of(number) == country


def test_countries_are_two_capitals() -> None:
    assert len(COUNTRIES) > 230
    assert all(len(each) == 2 and each.isalpha() and each.isupper() for each in COUNTRIES)
