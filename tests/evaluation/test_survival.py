"""Planners on a fall bank: trials that are kept, shares with their intervals, and two planners on the same states."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import fall_banks

from movlr_jax.control.planners import MPPI
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation import survival
from movlr_jax.evaluation.survival import Comparison, Measured, Share, Trial, TrialFile

PLANNER = MPPI(horizon=0.04).with_candidates(4)


@pytest.fixture(scope="module")
def bank(simulator8, myolegs):
    """A state that is down at once, a harmless one, and one of the other half."""
    down, harmless, _, learnt = fall_banks.bank(simulator8).states
    return replace(fall_banks.bank(simulator8), states=(fall_banks.fallen(down, myolegs), harmless, learnt))


@pytest.fixture(scope="module")
def measured(bank, tmp_path_factory):
    what = Measured(bank=bank.of(split="test"), label="small", planner=PLANNER, seconds=0.06, threads=1)
    results = TrialFile(tmp_path_factory.mktemp("survival") / "trials.json")
    return what, results, survival.measure(what, "myolegs", results)


def test_trials_say_who_fell_and_when(measured):
    _, _, trials = measured
    assert [(t.state, t.kind, t.seed, t.survived, t.lasted) for t in trials] == [
        ("walk_flat push 3 at 2.00 s", "fall", 1, False, 0.02),
        ("walk_flat push 3 at 2.10 s", "harmless", 1, True, 0.06),
    ]
    assert all(trial.simulated == 4 * PLANNER.steps and trial.cpu > 0 for trial in trials)
    assert survival.share(trials) == Share(1, 2) and survival.share(trials, "fall") == Share(0, 1)


def test_what_is_there_is_not_run_again_and_a_label_stands_for_one_planner(measured):
    what, results, trials = measured
    seen = []
    assert survival.measure(what, "myolegs", results, seen.append) == trials and not seen
    more = survival.measure(replace(what, seeds=(1, 2)), "myolegs", results, seen.append)
    assert len(more) == 4 and [trial.seed for trial in seen] == [2, 2]
    with pytest.raises(MovlrError, match=r"small on myolegs was measured with other settings \(planner\): choose another --label"):
        survival.measure(replace(what, planner=replace(PLANNER, temperature=0.2)), "myolegs", results)
    assert len(results.trials("myolegs", "small")) == 4 and results.labels() == [("myolegs", "small")]


def test_another_body_is_refused_before_anything_runs(measured):
    what, results, _ = measured
    with pytest.raises(MovlrError, match="holds states of other, and not of myolegs"):
        survival.measure(replace(what, bank=replace(what.bank, body="other")), "myolegs", results)
    with pytest.raises(MovlrError, match="this bank has no states of that half"):
        survival.measure(replace(what, bank=replace(what.bank, states=())), "myolegs", results)


def test_a_file_that_holds_no_trials_is_refused(tmp_path):
    for text in ("[]", '{"a": {"trials": {"s": {"1": {"kind": "fall"}}}}}', "{"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(BadFile):
            TrialFile(tmp_path / "a.json").labels()


def test_intervals_are_wilson_s_and_the_test_is_mcnemar_s():
    low, high = Share(8, 10).interval
    assert (low, high) == pytest.approx((0.490, 0.943), abs=1e-3)  # Wilson (1927) of 8 in 10, as tables have it
    assert Share(0, 0).interval == (0.0, 1.0) and Share(20, 20).interval[0] == pytest.approx(0.839, abs=1e-3)
    assert Comparison(3, 6, 0, 1).p == pytest.approx(2 / 2**6) and Comparison(5, 0, 0, 5).p == 1.0


def test_planners_are_compared_where_both_were_tried():
    def trials(*survived):
        return [Trial(f"s{i}", "fall" if i < 3 else "harmless", 1, up, 1.5, 100.0, 0.0) for i, up in enumerate(survived)]

    ours, others = trials(True, True, False, True), trials(True, False, True, False, True)
    assert survival.compare(ours, others) == Comparison(both=1, first=2, second=1, neither=0)
    assert survival.compare(ours, others, "harmless") == Comparison(0, 1, 0, 0)
