"""The offline critic of a hand with an object: it names the drop first, then what is missing to the goal, and ranks accordingly."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from support.critic_records import evidence, score

from movlr_jax.critics.base import settle
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.facts import Facts
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.tasks.facts import describe

CRITIC = OfflineCritic()


def facts(away: float = 0.01, turned: float = 0.05, dropped_at: float | None = None, finger: float = 0.05) -> dict[str, Any]:
    """Return what facts.describe tells of an episode of 5 s that ends so."""
    episode = {
        "seconds": dropped_at or 5.0,
        "fell": False,
        "dropped": dropped_at is not None,
        "diverged": False,
        "final_position_error_m": away,
        "final_orientation_error_rad": turned,
    }
    drop = None if dropped_at is None else {"time_s": dropped_at, "below_start_m": 0.2, "from_palm_m": 0.3}
    return {
        "goal": "Grasp the bottle, carry it to the target and tilt it as to pour.",
        "goal_speed_mps": None,
        "seconds": 5.0,
        "metrics": copy.copy(episode),
        "episodes": [episode],
        "object": {
            "position_error_m": {"start": 0.25, "mean": 0.1, "min": away, "final": away},
            "orientation_error_rad": {"start": 0.8, "mean": 0.4, "min": turned, "final": turned},
            "lifted_m": 0.1,
            "speed_mps": 0.1,
            "palm_distance_m": 0.05,
            "finger_distance_m": {"thumb": 0.04, "index": finger},
            "dropped": drop,
        },
        "terms": {"position": {"weight": 100.0, "mean": -0.1, "std": 0.1}},
    }


def test_a_bottle_at_its_goal_is_a_success():
    judged = CRITIC.critique(None, Facts.read(facts()))
    assert judged.success and judged.faults == () and score(facts()) > 95.0


def test_a_drop_comes_first_and_only_its_remedies_are_named():
    judged = CRITIC.critique(None, Facts.read(facts(away=0.5, turned=2.0, dropped_at=2.0)))
    assert not judged.success and [f.kind for f in judged.faults] == ["drop", "misplaced", "misturned"]
    assert judged.suggestions and {s.addresses for s in judged.suggestions} == {"drop"}
    assert all("object" in LIBRARY[s.term].needs for s in judged.suggestions if s.term)


@pytest.mark.parametrize(
    ("change", "kind"), [({"away": 0.1}, "misplaced"), ({"turned": 0.6}, "misturned"), ({"finger": 0.15}, "loose_grip")]
)
def test_what_is_missing_is_named_with_a_remedy(change, kind):
    judged = CRITIC.critique(None, Facts.read(facts(**change)))
    assert [f.kind for f in judged.faults] == [kind]
    assert judged.suggestions[0].addresses == kind and judged.suggestions[0].action == "add"


def test_nearer_is_better_and_held_is_better_than_dropped():
    order = [facts(), facts(away=0.05), facts(away=0.15), facts(away=0.02, dropped_at=4.0)]
    for better, worse in itertools.pairwise(order):
        assert settle(CRITIC, evidence(better), evidence(worse)).winner == "a"
    assert score(order[0]) > score(order[1]) > score(order[2])


@pytest.mark.models
def test_facts_of_a_carry_made_by_hand(cube_hand):
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.sandbox import behaviour_motions

    layout = feature_layout(cube_hand)
    rows = behaviour_motions.generate(cube_hand).features[behaviour_motions.CARRIED][:, : layout.size]
    said = describe(rows, layout, task="cube_rotate", goal="Turn the cube.")
    thing = said.object
    assert thing.position_error_m.start == pytest.approx(0.15, abs=0.005) and thing.position_error_m.final < 1e-3
    assert thing.orientation_error_rad.start == pytest.approx(0.7, abs=0.02) and thing.orientation_error_rad.final < 2e-3
    assert thing.lifted_m == pytest.approx(0.1, abs=0.002) and set(thing.finger_distance_m) >= {"thumb", "little"}
    assert CRITIC.critique(None, said).success
