"""What an import of profiles' files would change, and whether the profiles can live together."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from mmsgate.carriers.files import changed_keys, read_profile_file
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import Profile, ProfileError, profile_from_json
from mmsgate.domain.operators import Operator

FindOperator = Callable[[str], Operator | None]


class Effect(StrEnum):
    """What an import does to a profile."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A profile to be kept, and the settings that change with it."""

    profile: Profile
    effect: Effect
    keys: tuple[str, ...] = ()


def plan_import(
    paths: Sequence[Path], kept: Mapping[str, str], *, environment: Mapping[str, str], find_operator: FindOperator
) -> tuple[Step, ...]:
    """What importing these files would do beside the profiles that are `kept` (JSON by name): all or none.

    `environment` is where secrets may come from. Raises ProfileError with the problems of all files.
    """
    found: dict[Path, Profile] = {}
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found[path] = _with_operators(read_profile_file(path, environment), path, find_operator)
        except ProfileError as error:
            problems += error.problems
    problems += _twice(found)
    if problems:
        raise ProfileError(problems)
    new = {profile.name: profile for profile in found.values()}
    old = {name: profile for name, text in kept.items() if (profile := _kept(text)) is not None}
    if problems := conflicts({**old, **new}.values()):
        raise ProfileError(problems)
    return tuple(_step(profile, old.get(name), name in kept) for name, profile in new.items())


def _with_operators(profile: Profile, path: Path, find: FindOperator) -> Profile:
    """The operators by our ids, whichever way they are written. Raises ProfileError for unknown ones."""
    if not isinstance(profile, CarrierProfile):
        return profile
    named = profile.reach.operators
    found = {each: find(each) for each in named - {"*"}}
    if unknown := sorted(each for each, operator in found.items() if operator is None):
        raise ProfileError([f"{path}: reach.operators: there is no operator {', '.join(unknown)}"])
    ids = {operator.id for operator in found.values() if operator} | (named & {"*"})
    return replace(profile, reach=replace(profile.reach, operators=frozenset(ids)))


def _twice(found: Mapping[Path, Profile]) -> list[str]:
    places: dict[str, list[str]] = {}
    for path, profile in found.items():
        places.setdefault(profile.name, []).append(str(path))
    return [f"name: {' and '.join(at)} both hold a profile named {name}" for name, at in places.items() if at[1:]]


def _kept(text: str) -> Profile | None:
    """A profile that is kept; None if it can't be read any more, so that it can be replaced."""
    try:
        return profile_from_json(text)
    except ProfileError:
        return None


def _step(profile: Profile, before: Profile | None, known: bool) -> Step:
    if before is None:
        return Step(profile=profile, effect=Effect.CHANGED if known else Effect.NEW)
    keys = changed_keys(before, profile)
    if type(before) is not type(profile):
        keys = ["kind", *keys]
    return Step(profile=profile, effect=Effect.CHANGED if keys else Effect.UNCHANGED, keys=tuple(keys))


def conflicts(profiles: Iterable[Profile]) -> list[str]:
    """What keeps profiles from living together: a prefix that two claim, an SMSC that is none; by name."""
    carriers = sorted((each for each in profiles if isinstance(each, CarrierProfile)), key=lambda each: each.name)
    return [*_shared_prefixes(carriers), *_sms_by_mmsc(carriers)]


def _sms_by_mmsc(carriers: Sequence[CarrierProfile]) -> list[str]:
    """Profiles whose SMS would go to an MMSC. A name that no profile has does no harm."""
    names = {each.name for each in carriers}
    return [
        f'reach.sms: {each.name} names {sms}, which is an MMSC: name a profile with kind = "smpp"'
        for each in carriers
        for sms in each.reach.sms
        if sms in names
    ]


def _shared_prefixes(carriers: Sequence[CarrierProfile]) -> list[str]:
    """Profiles of different carriers that claim the same prefix at the same priority.

    Two that name the same operator are connections to one carrier: there the name decides who is first.
    """
    problems = []
    for one, other in itertools.combinations(carriers, 2):
        shared = sorted(one.reach.prefixes & other.reach.prefixes)
        same_carrier = (one.reach.operators & other.reach.operators) - {"*"}
        if shared and not same_carrier and one.reach.priority == other.reach.priority:
            problems.append(
                f"reach.prefixes: {one.name} and {other.name} both claim {', '.join(shared)} with priority "
                f"{one.reach.priority}: give one of them another reach.priority, or another prefix"
            )
    return problems
