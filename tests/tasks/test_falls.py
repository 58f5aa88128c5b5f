"""Fall rules: of a named task, and of a sentence, which calls a fall what it did not ask for."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from support.synthetic import DT, lowered, walker

from movlr_jax import tasks
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.tasks import facts, falls
from movlr_jax.tasks.falls import LOWERED, UNASKED

FREE = tasks.get("free")


def sinking(to: float, over_s: float) -> np.ndarray:
    """Return shares of standing height by time: half a second of standing, then down to `to` within `over_s`, then there."""
    time = np.arange(0.0, 1.0 + over_s, DT)
    return 1.0 - (1.0 - to) * np.clip((time - 0.5) / over_s, 0.0, 1.0)


@pytest.mark.parametrize(
    ("sentence", "to", "over_s", "named", "spoken"),
    [
        ("squat", 0.7, 1.0, False, False),
        ("do a deep squat", 0.5, 1.0, True, False),  # by the rule of a named task it is a fall, by its own it is not
        ("sit down", 0.25, 1.5, True, False),
        ("squat", 0.4, 0.3, True, True),  # a collapse
        ("sit down", 0.25, 0.4, True, True),
        ("jump", 0.5, 0.3, True, False),  # who lands goes down fast
        ("lie down", 0.05, 0.5, True, False),
        ("jump", 0.05, 0.5, True, True),
        ("play the violin", 0.05, 4.0, True, True),  # the trunk ends on the ground, however slowly
    ],
)
def test_a_fall_is_a_descent_that_was_not_asked_for(layout, sentence, to, over_s, named, spoken):
    instants = lowered(layout, sinking(to, over_s))
    task = FREE.with_sentence(sentence)
    for rule, fell in ((LOWERED, named), (task.fall, spoken)):
        assert bool(rule.over(layout, instants).any()) is fell
        assert np.array_equal(rule.over(layout, jnp.asarray(instants)), rule.over(layout, instants))
        told = facts.describe(instants, layout, task="free", goal=sentence, fall_rule=rule)
        assert (told.fall is not None) is fell


@pytest.mark.parametrize("name", behaviour_motions.COLLAPSES)
def test_a_limp_body_has_fallen_whatever_the_sentence_calls_it(myolegs, layout, name):
    limp = behaviour_motions.generate(myolegs).features[name][:, : layout.size]
    assert FREE.with_sentence("squat down slowly and stay there").over(myolegs)(limp).any()


def test_the_rule_belongs_to_the_task_and_is_told():
    assert tasks.get("walk_flat").fall == LOWERED and "below 0.6 of its standing height" in tasks.get("walk_flat").ends_when()
    assert FREE.fall == UNASKED and "1 m/s" in FREE.ends_when() and "trunk or the head" in FREE.ends_when()
    spoken = tasks.get("walk_flat").with_sentence("kneel")
    assert spoken.fall == UNASKED and spoken.spoken and "trunk or the head" in spoken.ends_when()
    assert (
        FREE.with_sentence("lie down").lies
        and "nothing" in FREE.with_sentence("lie down").ends_when()
        and not FREE.with_sentence("do not lie down").lies
    )
    assert tasks.get("bottle_pour").with_sentence("pour it out").fall == LOWERED and "drop" in tasks.get("bottle_pour").ends_when()


def test_the_ground_is_where_a_body_without_a_head_lies_too(layout):
    headless = type("Layout", (), {})()
    headless.landmarks = {k: v for k, v in layout.landmarks.items() if k != "head"}
    headless.standing = layout.standing
    assert falls.stature(headless) == layout.standing["trunk_height"] < falls.stature(layout)
    assert not UNASKED.over(layout, walker(layout)).any()
