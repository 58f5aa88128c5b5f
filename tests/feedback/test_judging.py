"""What is kept: gates, then preference, then score; and where random numbers come from."""

from __future__ import annotations

import itertools

from movlr_jax.critics.critique import Preference
from movlr_jax.feedback import judging
from movlr_jax.seeds import derive
from movlr_jax.tasks import gates


def decided(candidate: dict, best: dict) -> judging.Decision | None:
    return judging.gates_decide(gates.read(candidate), gates.read(best))


def motion(score=0.0, falls=0, diverged=False, moved=True, episodes=3) -> dict:
    said = {"fell": falls > 0, "diverged": diverged, "moved": moved}
    return {"score": score, "falls": falls, "episodes": [{}] * episodes, "gates": said}


def test_the_worse_gate_decides():
    order = [motion(), motion(moved=False), motion(falls=1), motion(falls=3), motion(diverged=True)]
    for better, worse in itertools.pairwise(order):
        assert decided(better, worse).kept and not decided(worse, better).kept
    assert decided(motion(score=1.0), motion(score=9.0)) is None
    # A body that fell is not also blamed for not getting far.
    assert decided(motion(falls=3, moved=False), motion(falls=3)) is None


TIE = Preference(winner="tie", reason="Alike.")


def test_preference_then_score_then_the_one_that_was_there():
    high, low = motion(score=2.0), motion(score=1.0)
    assert judging.settle(low, high, Preference(winner="a", reason="Higher.")).by == "preference"
    assert judging.settle(low, high, Preference(winner="a", reason="Higher.")).kept
    assert judging.settle(high, low, TIE).kept and judging.settle(high, low, TIE).by == "score"
    assert not judging.settle(low, low, TIE).kept


def test_choose_ranks_by_gates_then_score():
    assert judging.choose([])[0] is None
    assert judging.choose([(0, motion(9.0, falls=1)), (1, motion(1.0)), (2, motion(2.0))])[0] == 2
    assert judging.choose([(0, motion(1.0)), (2, motion(1.0))])[0] == 0


def test_seeds_derive_from_names_alone():
    # Written down: a change of the scheme changes what every recorded run means.
    assert derive(0, "write", 1, 0, 0) == 3552371932721698573
    keys = {derive(r, "write", i, k, a) for r in range(3) for i in range(5) for k in range(4) for a in range(3)}
    assert len(keys) == 3 * 5 * 4 * 3 and all(0 <= key < 2**63 for key in keys)
