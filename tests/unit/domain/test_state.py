"""The state machine: every pair is an allowed transition or a recorded no-op, and the docs say the same."""

import re
from pathlib import Path

import pytest

from mmsgate.domain.change import Why, move
from mmsgate.domain.state import FINAL, TRANSITIONS, Happening, State, next_state
from tests.unit.builders import NOW, a_message

DOC = Path(__file__).parents[3] / "docs/explanation/states.md"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happening", Happening)
def test_every_pair_is_a_transition_or_a_recorded_no_op(state: State, happening: Happening) -> None:
    before = a_message(state=state)
    change = move(before, happening, Why.of("because"), at=NOW)
    allowed = (state, happening) in TRANSITIONS
    assert change.event.changed is allowed
    assert change.event.reason == "because"
    assert change.event.happening is happening
    assert change.message.state is (TRANSITIONS[state, happening] if allowed else state)
    if not allowed:
        assert change.message == before
        assert change.postbacks == ()


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_leads_out_of_a_final_state(state: State) -> None:
    assert all(next_state(state, happening) is None for happening in Happening)
    assert state.final


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_every_other_state_can_reach_a_final_one(state: State) -> None:
    reached, front = {state}, {state}
    while front:
        front = {after for (before, _), after in TRANSITIONS.items() if before in front} - reached
        reached |= front
    assert reached & FINAL


def test_the_documentation_has_the_same_table() -> None:
    text = DOC.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \| `([a-z-]+)` \|", text, re.MULTILINE)
    documented = {(State(before), Happening(what)): State(after) for before, what, after in rows}
    assert documented == TRANSITIONS


def test_the_documentation_names_every_state_and_happening() -> None:
    text = DOC.read_text(encoding="utf-8")
    for word in (*State, *Happening):
        assert f"`{word.value}`" in text
