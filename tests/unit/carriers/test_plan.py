"""An import: all files or none, what is new and what changes, and who may not claim the same prefix."""

from pathlib import Path

import pytest

from mmsgate.carriers.plan import Effect, Step, conflicts, plan_import
from mmsgate.carriers.profile import CarrierProfile, Reach
from mmsgate.carriers.record import Profile, ProfileError, profile_json
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.domain.operators import BUILT_IN


def carrier(name: str, *prefixes: str, operators: tuple[str, ...] = ("*",), priority: int = 0) -> CarrierProfile:
    reach = Reach(operators=frozenset(operators), prefixes=frozenset(prefixes), priority=priority)
    return CarrierProfile(name=name, endpoints=("https://mmsc.example/mm7",), reach=reach)


def plan(paths: list[Path], *kept: Profile) -> tuple[Step, ...]:
    texts = {each.name: profile_json(each) for each in kept}
    return plan_import(paths, texts, environment={}, find_operator=BUILT_IN.find)


def problems(paths: list[Path], *kept: Profile) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as raised:
        plan(paths, *kept)
    return raised.value.problems


def file(folder: Path, name: str, more: str = "", called: str = "") -> Path:
    path = folder / f"{called or name}.toml"
    path.write_text(f'name = "{name}"\nendpoints = ["https://mmsc.example/mm7"]\n{more}')
    return path


def test_what_is_new_changed_and_unchanged(tmp_path: Path) -> None:
    paths = [file(tmp_path, "one"), file(tmp_path, "two", "[pace]\nrate = 5"), file(tmp_path, "three")]
    steps = plan(paths, carrier("two"), carrier("three"))
    assert [(step.profile.name, step.effect, step.keys) for step in steps] == [
        ("one", Effect.NEW, ()),
        ("two", Effect.CHANGED, ("pace.rate",)),
        ("three", Effect.UNCHANGED, ()),
    ]


def test_the_problems_of_all_files_are_told(tmp_path: Path) -> None:
    paths = [file(tmp_path, "one", "[pace]\nrate = -1"), file(tmp_path, "two"), file(tmp_path, "three", "x = 1")]
    told = problems(paths)
    assert [problem.partition(": ")[0] for problem in told] == [str(paths[0]), str(paths[2])]


def test_two_files_can_t_hold_the_same_name(tmp_path: Path) -> None:
    told = problems([file(tmp_path, "one"), file(tmp_path, "one", called="other")])
    assert told == (f"name: {tmp_path}/one.toml and {tmp_path}/other.toml both hold a profile named one",)


def test_operators_are_kept_by_our_ids(tmp_path: Path) -> None:
    path = file(tmp_path, "one", '[reach]\noperators = ["0001470", "310012", "*"]')
    (step,) = plan([path])
    assert isinstance(step.profile, CarrierProfile)
    assert step.profile.reach.operators == {"31002", "31003", "*"}


def test_an_operator_that_nobody_knows(tmp_path: Path) -> None:
    path = file(tmp_path, "one", '[reach]\noperators = ["31002", "99999"]')
    assert problems([path]) == (f"{path}: reach.operators: there is no operator 99999",)


def test_a_kept_profile_that_can_t_be_read_can_be_replaced(tmp_path: Path) -> None:
    kept = {"one": '{"name": "one", "endpoints": ["nonsense"]}'}
    (step,) = plan_import([file(tmp_path, "one")], kept, environment={}, find_operator=BUILT_IN.find)
    assert step.effect is Effect.CHANGED


def test_a_prefix_that_a_kept_profile_claims_is_refused_by_name(tmp_path: Path) -> None:
    path = file(tmp_path, "two", '[reach]\nprefixes = ["1206", "1207"]')
    (told,) = problems([path], carrier("one", "1206"))
    assert told.startswith("reach.prefixes: one and two both claim 1206 with priority 0")


def test_a_profile_may_replace_the_one_that_claims_its_prefix(tmp_path: Path) -> None:
    path = file(tmp_path, "one", '[reach]\nprefixes = ["1206"]')
    assert plan([path], carrier("one", "1206"))[0].effect is Effect.UNCHANGED


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        (carrier("a", "1206"), carrier("b", "1206"), True),
        (carrier("a", "1206", operators=("31002",)), carrier("b", "1206", operators=("31003",)), True),
        (carrier("a", "1206", operators=("31002", "*")), carrier("b", "1206", operators=("*",)), True),
        (carrier("a", "1206", operators=("31002",)), carrier("b", "1206", operators=("31002",)), False),
        (carrier("a", "1206"), carrier("b", "1206", priority=1), False),
        (carrier("a", "1206"), carrier("b", "12065"), False),
        (carrier("a"), carrier("b"), False),
    ],
)
def test_only_different_carriers_at_one_priority_clash(
    one: CarrierProfile, two: CarrierProfile, clash: bool
) -> None:
    assert bool(conflicts([one, two])) is clash
    assert bool(conflicts([two, one])) is clash


def test_the_sms_of_a_carrier_can_t_go_to_an_mmsc_of_the_same_import(tmp_path: Path) -> None:
    paths = [file(tmp_path, "one", '[reach]\nsms = "two"'), file(tmp_path, "two")]
    assert problems(paths) == (
        'reach.sms: one names two, which is an MMSC: name a profile with kind = "smpp"',
    )  # fmt: skip


def test_the_sms_of_a_carrier_can_t_go_to_an_mmsc_that_is_kept(tmp_path: Path) -> None:
    (told,) = problems([file(tmp_path, "one", '[reach]\nsms = "two"')], carrier("two"))
    assert told.startswith("reach.sms: one names two")


def test_a_kept_smsc_that_carries_sms_can_t_become_an_mmsc(tmp_path: Path) -> None:
    smsc = SmscProfile(name="sms", host="127.0.0.1", port=2775)
    (told,) = problems([file(tmp_path, "sms", '[reach]\nsms = "other"')], carrier("one"), smsc)
    assert told.startswith("reach.sms: one names sms")


def test_an_smsc_or_a_name_without_a_profile_may_carry_the_sms() -> None:
    assert conflicts([carrier("one"), SmscProfile(name="sms", host="127.0.0.1", port=2775)]) == []
    assert conflicts([carrier("one")]) == []
