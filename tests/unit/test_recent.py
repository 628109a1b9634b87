"""The small cache: what was used last stays."""

from mmsgate.recent import Recent


def filled(most: int, *keys: str) -> Recent[str, str]:
    recent: Recent[str, str] = Recent(most)
    for key in keys:
        recent.put(key, key.upper())
    return recent


def kept(recent: Recent[str, str], *keys: str) -> list[str]:
    return [key for key in keys if recent.get(key) is not None]


def test_a_value_that_was_put_is_found_and_handed_back() -> None:
    recent: Recent[str, list[int]] = Recent(2)
    value = [1]
    assert recent.put("a", value) is value
    assert recent.get("a") is value


def test_what_was_never_put_is_none() -> None:
    assert filled(2, "a").get("b") is None


def test_the_oldest_goes_when_there_is_one_too_many() -> None:
    recent = filled(2, "a", "b", "c")
    assert len(recent) == 2
    assert kept(recent, "a", "b", "c") == ["b", "c"]


def test_what_is_looked_up_stays_longer() -> None:
    recent = filled(2, "a", "b")
    recent.get("a")
    recent.put("c", "C")
    assert kept(recent, "a", "b", "c") == ["a", "c"]


def test_what_is_put_again_stays_longer_and_has_the_new_value() -> None:
    recent = filled(2, "a", "b")
    recent.put("a", "new")
    recent.put("c", "C")
    assert kept(recent, "a", "b", "c") == ["a", "c"]
    assert recent.get("a") == "new"


def test_putting_a_known_key_again_pushes_nothing_out() -> None:
    recent = filled(2, "a", "b", "b", "b")
    assert kept(recent, "a", "b") == ["a", "b"]


def test_a_miss_makes_no_room_and_takes_none() -> None:
    recent = filled(2, "a", "b")
    recent.get("x")
    assert kept(recent, "a", "b") == ["a", "b"]
    assert len(recent) == 2


def test_what_is_dropped_is_gone_and_leaves_room() -> None:
    recent = filled(2, "a", "b")
    recent.drop("a")
    recent.drop("never there")
    assert recent.get("a") is None
    recent.put("c", "C")
    assert kept(recent, "b", "c") == ["b", "c"]


# -- weighed


def weighed(budget: int, *entries: tuple[str, str]) -> Recent[str, str]:
    """Texts, which weigh as many as they have letters."""
    recent: Recent[str, str] = Recent(10, weigh=len, budget=budget)
    for key, value in entries:
        recent.put(key, value)
    return recent


def test_the_oldest_go_until_the_rest_is_within_the_budget() -> None:
    recent = weighed(6, ("a", "xx"), ("b", "xx"), ("c", "xx"), ("d", "xxx"))
    assert kept(recent, "a", "b", "c", "d") == ["c", "d"]


def test_the_budget_itself_is_kept() -> None:
    assert kept(weighed(6, ("a", "xxx"), ("b", "xxx")), "a", "b") == ["a", "b"]


def test_what_weighs_more_than_the_whole_budget_pushes_nothing_out() -> None:
    recent = weighed(6, ("a", "xxx"))
    assert recent.put("b", "x" * 7) == "x" * 7
    assert kept(recent, "a", "b") == ["a"]


def test_an_older_value_is_gone_when_the_newer_is_too_heavy() -> None:
    assert kept(weighed(6, ("a", "xxx"), ("a", "x" * 7)), "a") == []


def test_what_is_dropped_or_put_anew_weighs_no_longer() -> None:
    recent = weighed(6, ("a", "xxx"), ("b", "xxx"))
    recent.drop("a")
    recent.put("b", "x")
    recent.put("c", "xxxxx")
    assert kept(recent, "b", "c") == ["b", "c"]


def test_the_number_of_entries_is_bounded_whatever_they_weigh() -> None:
    recent = weighed(100, *((str(number), "x") for number in range(11)))
    assert len(recent) == 10
