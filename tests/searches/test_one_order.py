"""One order of motions: two that are easily ranked in opposite ways are ranked the same by everything that compares motions.

On two seeds of walk_flat, one body walked and fell in one of them; the other stood still in both. The second is the better by the gates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import critic_records

from movlr_jax import tasks
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Preference
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.facts import Facts
from movlr_jax.feedback import judging
from movlr_jax.rewards.program import literal_weights
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.searches import inner_tuning
from movlr_jax.tasks import gates, metrics
from movlr_jax.tuning import ablation, pruning, weight_study
from movlr_jax.tuning.preference_objective import PreferenceObjective
from movlr_jax.tuning.tuner import Tuner
from movlr_jax.tuning.weight_study import WeightStudy, WeightTrial

WALK = tasks.get("walk_flat")
PLACE = (WALK, "myolegs")
# With `go` the body walks, and falls in one episode of two; without, it stands still.
TEXT = RewardText("toy", 'WEIGHTS = {"go": 1.0, "stay": 1.0}\n\n\ndef terms(m):\n    return {t: m.com.velocity_forward for t in WEIGHTS}\n')


def episodes(walks: bool) -> list[dict[str, Any]]:
    """Return the records of two seeds."""
    one = {"seconds": 4.0, "diverged": False, "effort": 0.02, "distance_m": 2.5 if walks else 0.01}
    return [{"seed": seed, "fell": walks and seed == 1, **one} for seed in (0, 1)]


def record(walks: bool) -> dict[str, Any]:
    """Return what metrics.json has of them; the score is better where the body walks."""
    summary = metrics.summarize(episodes(walks))
    return {**summary, "gates": WALK.gates(summary).document(), "score": 60.0 if walks else 40.0}


def work_of(walks: bool) -> Work:
    return Work(TEXT, "toy", *PLACE, weights={} if walks else {"go": 0.0})


class World:
    """Stands for an evaluation: a body walks, and falls in one episode of two, where `go` weighs more than 0.9."""

    def run(self, works: list[Work], seeds: tuple[int, ...] = (0, 1)) -> list[Row]:
        return [Row(w, "native", 4.0, 0.8, tuple(episodes({**literal_weights(TEXT.source), **w.weights}["go"] > 0.9))) for w in works]

    def evidence(self, work: Work) -> tuple[Facts, None]:
        summary = metrics.summarize(episodes(not work.weights))
        return Facts.read(critic_records.walk(metrics=summary["mean"], episodes=summary["episodes"])), None


class Nobody:
    """A critic that must not be asked: physics decides."""

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, tuple[()]]:
        raise AssertionError("The critic was asked.")


WALKED, STOOD = record(True), record(False)


def trial(number: int, walks: bool) -> WeightTrial:
    found = WALKED if walks else STOOD
    return WeightTrial(number, {"go": 1.0}, found["mean"]["distance_m"], gates.read(found).amounts(), found["falls"], 2)


def test_the_search() -> None:
    assert gates.rank(gates.read(STOOD)) > gates.rank(gates.read(WALKED))
    decision = judging.gates_decide(gates.read(WALKED), gates.read(STOOD))
    assert decision is not None and not decision.kept and decision.reason.endswith("is the worse by falls.")
    assert judging.gates_decide(gates.read(STOOD), gates.read(WALKED)).kept  # type: ignore[union-attr]
    for order in ((WALKED, STOOD), (STOOD, WALKED)):
        assert order[judging.choose(list(enumerate(order)))[0]] is STOOD  # type: ignore[index]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_order_of_trials(sign: int) -> None:
    assert weight_study.better(trial(1, walks=False), sign) > weight_study.better(trial(0, walks=True), sign)


@pytest.mark.parametrize("sampler", ["cmaes", "random", "tpe", "gp"])
def test_what_an_optimiser_is_told(sampler: str) -> None:
    if sampler == "gp":
        pytest.importorskip("torch")
    pytest.importorskip("optuna")
    study = WeightStudy({"go": 1.0}, sampler, 10.0, lambda number: number)
    for number, walks in enumerate((True, False)):
        study.tell(study.ask(number)[0], trial(number, walks), 1)
    walked, stood = study.study.trials
    if sampler in ("tpe", "gp"):  # more of a violated constraint is worse, whatever the value
        assert sum(walked.constraints.values()) > sum(stood.constraints.values()) > 0 and walked.value > stood.value
        assert set(walked.constraints) == set(stood.constraints) == {"diverged", "fell", "moved", "late"}
    else:
        assert stood.value > walked.value


def test_tuning_inside_a_search() -> None:
    walked, stood = (inner_tuning.as_trial(n, {**of, "weights": {"go": 1.0}}) for n, of in enumerate((WALKED, STOOD)))
    assert weight_study.better(stood, 1) > weight_study.better(walked, 1) and walked.gates.penalty > stood.gates.penalty
    assert inner_tuning.told_apart([WALKED, STOOD])


def test_the_tuner(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    config = TuneConfig(trials=8, sampler="random", held_out=())
    found = Tuner(config, TEXT, PLACE, World(), tmp_path).run()  # type: ignore[arg-type]
    assert {t.weights["go"] > 0.9 for t in found.trials} == {True, False} and found.best.weights["go"] <= 0.9
    assert found.document()["trials"][0]["unfit"] == {"diverged": 0.0, "fell": 0.5, "moved": 0.0, "late": 0.0}


@pytest.mark.parametrize("walked_first", [True, False])
def test_the_critics_preference(walked_first: bool) -> None:
    objective = PreferenceObjective(World(), Nobody())  # type: ignore[arg-type]
    first = objective.placed(trial(0, walked_first), work_of(walked_first), [])
    second = objective.placed(trial(1, not walked_first), work_of(not walked_first), [(first, work_of(walked_first))])
    assert first.value is not None and second.value is not None
    assert (second.value > first.value) == walked_first and second.reason.startswith("Physics")


def test_ablation_and_pruning() -> None:
    world = World()
    found = ablation.ablate(world, TEXT, [PLACE], metric="distance_m")  # type: ignore[arg-type]
    ranks = {rank.term: rank for rank in found.ranking()}
    assert ranks["go"].verdict == "harms" and ranks["go"].penalty < 0 < ranks["go"].loss and found.ranking()[-1].term == "go"
    assert pruning.fault(found, world.run([work_of(walks=False)])) == ""
    # The other way round: what made a standing body walk and fall.
    standing = RewardText("still", TEXT.source.replace('"go": 1.0', '"go": 0.5'))
    other = ablation.Ablation(standing, (PLACE,), (2.0,), "distance_m", 0.05, tuple(world.run([work_of(walks=False)])), {})
    assert pruning.fault(other, world.run([work_of(walks=True)])) == "1 instead of 0 of 2 fall"


@pytest.mark.parametrize("walked_first", [True, False])
def test_the_offline_critic(walked_first: bool) -> None:
    def evidence(walks: bool) -> Evidence:
        of = record(walks)
        return critic_records.evidence(critic_records.walk(metrics=of["mean"], episodes=of["episodes"], task=WALK.name, seconds=4.0))

    chosen = OfflineCritic().compare(evidence(walked_first), evidence(not walked_first))
    assert chosen.winner == ("b" if walked_first else "a") and chosen.reason.startswith("Physical gates")
