"""Studies that told nothing: one seed, a metric at its best, a metric that nothing moves. They say so, and recommend nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from movlr_jax import tasks
from movlr_jax.evaluation import study_limits, transfer
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Work
from movlr_jax.rewards.program import literal_weights
from movlr_jax.runs.tune_config import TuneConfig
from movlr_jax.searches import inner_tuning
from movlr_jax.tuning import ablation, pruning
from movlr_jax.tuning.tune_study import TuneStudy

FREE = tasks.get("free").with_sentence("squat and stay there")
STAND, WALK = tasks.get("stand"), tasks.get("walk_flat")
TEXT = RewardText(
    "toy",
    'WEIGHTS = {\n    "low": 4.0,\n    "upright": 2.0,\n}\n\n\ndef terms(m):\n    return {\n'
    '        "low": m.pelvis.height,\n        "upright": m.trunk.up[2],\n    }\n',
)


class World:
    """Stands for an evaluation. Whatever the weights, the body stays up; it squats, deeper while "low" has a weight."""

    def __init__(self, seeds: tuple[int, ...] = (0, 1, 2)):
        self.seeds, self.asked = seeds, 0

    def run(self, works: list[Work], seeds: tuple[int, ...] = ()) -> list[Row]:
        self.asked += len(works)
        return [Row(w, "native", 2.0, 0.0, tuple(self.episode(w, seed) for seed in seeds or self.seeds)) for w in works]

    def episode(self, work: Work, seed: int) -> dict[str, Any]:
        assert work.reward is not None
        weights = {**literal_weights(work.reward.source), **work.weights}
        reached = (0.8 if weights.get("low") else 0.65) + 0.01 * seed
        return {"seed": seed, "seconds": 2.0, "fell": False, "diverged": False, "goal_reached": reached, "distance_m": 0.0}


def ablated(world: World, metric: str) -> tuple[ablation.Ablation, pruning.Pruned]:
    found = ablation.ablate(world, TEXT, [(FREE, "myolegs")], metric=metric)  # type: ignore[arg-type]
    return found, pruning.prune(found, world)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "seeds", "said"),
    [
        ("seconds", (0, 1, 2), "moved the metric 'lasted [s]'"),
        ("distance_m", (0, 1, 2), "moved the metric 'distance [m]'"),
        ("goal_reached", (0,), "One seed tells no difference from luck"),
    ],
)
def test_an_ablation_that_told_nothing_recommends_nothing(metric: str, seeds: tuple[int, ...], said: str) -> None:
    found, pruned = ablated(World(seeds), metric)
    assert not found.conclusive and pruned.dropped == () and pruned.text is TEXT
    assert {r.verdict for r in found.ranking()} == {"not told"}
    (line,) = pruning.report(found, pruned)
    assert line.startswith("Nothing is recommended.") and said in line and "can go" not in line
    assert found.document()["limits"] == found.limits() and said in found.limits()[0]


def test_the_goals_own_quantity_keeps_the_squat() -> None:
    found, pruned = ablated(World(), "")
    assert found.judged((FREE, "myolegs")) == "goal_reached" and found.conclusive
    assert {r.term: r.verdict for r in found.ranking()} == {"low": "earns its place", "upright": "does little"}
    assert pruned.dropped == ("upright",) and pruning.report(found, pruned)[0].startswith("1 term can go: upright.")


def test_a_metric_at_its_best_shows_what_lowers_it_and_nothing_else() -> None:
    class Falls(World):
        def episode(self, work: Work, seed: int) -> dict[str, Any]:
            record = super().episode(work, seed)
            weights = {**literal_weights(work.reward.source), **work.weights}  # type: ignore[union-attr]
            return record if weights.get("upright") else record | {"fell": True, "seconds": 0.5}

    found, pruned = ablated(Falls(), "seconds")
    assert {r.term: r.verdict for r in found.ranking()} == {"upright": "earns its place", "low": "not told"}
    assert pruned.dropped == () and "at its best in every episode" in pruning.report(found, pruned)[0]


def test_a_place_that_tells_nothing_leaves_it_to_the_others() -> None:
    world = World()
    found = ablation.ablate(world, TEXT, [(STAND, "myolegs"), (FREE, "myolegs")])  # type: ignore[arg-type]
    assert found.conclusive and found.limits() == [f"stand on myolegs: {found.limit(0)}"] and not found.limit(1)
    assert {r.term: r.verdict for r in found.ranking()} == {"low": "earns its place", "upright": "does little"}


def tuned(folder: Path, world: World, **more: Any) -> Any:
    pytest.importorskip("optuna")
    from movlr_jax.tuning.tuner import Tuner

    config = TuneConfig(**{"trials": 4, "held_out": (7, 8), "sampler": "random", **more})
    return Tuner(config, TEXT, (FREE, "myolegs"), world, folder, {"seeds": world.seeds}).run()  # type: ignore[arg-type]


def test_equal_trials_have_no_best(tmp_path: Path) -> None:
    found = tuned(tmp_path, World())
    assert not found.moved and found.best.number == 0 and literal_weights(found.text.source) == literal_weights(TEXT.source)
    assert "All 4 trials came out the same (goal_reached 0.81): none is the best." in found.limits()[0]
    document = found.document()
    assert document["recommended"] is False and document["limits"] == found.limits()

    assert not any("best" in line[0] for line in TuneStudy(found, tmp_path).table(found.trials)[1])
    assert "Nothing is recommended. All 4 trials" in (TuneStudy(found, tmp_path).save(), (tmp_path / "tune.md").read_text())[1]


class Better(World):
    """More of "low" is better, by a little."""

    luck = False

    def episode(self, work: Work, seed: int) -> dict[str, Any]:
        record = super().episode(work, seed)
        weights = {**literal_weights(work.reward.source), **work.weights}  # type: ignore[union-attr]
        more = 0.001 * weights["low"]
        return record | {"goal_reached": 0.5 + (-more if self.luck and seed in (7, 8) else more) + 0.001 * seed}


def test_one_seed_recommends_no_weights_unless_others_confirm_them(tmp_path: Path) -> None:
    alone = tuned(tmp_path / "alone", Better((0,)), held_out=())
    assert alone.best.number and alone.limits() == [study_limits.ONE_SEED]
    assert tuned(tmp_path / "held", Better((0,))).limits() == []
    assert tuned(tmp_path / "confirmed", Better((0,)), held_out=(), confirm=(3, 4)).limits() == []


def test_a_lead_that_held_out_seeds_do_not_see_is_luck(tmp_path: Path) -> None:
    world = Better()
    world.luck = True
    found = tuned(tmp_path, world)
    assert found.best.number and "not better" in found.limits()[0] and not found.document()["recommended"]


@pytest.mark.parametrize(
    ("metric", "seeds", "said"),
    [
        ("seconds", (0, 1), "is the same for every reward"),
        ("goal_reached", (0,), "One seed"),
        ("goal_reached", (0, 1), ""),
    ],
)
def test_a_matrix_says_which_columns_tell_nothing(metric: str, seeds: tuple[int, ...], said: str) -> None:
    flat = RewardText("flat", TEXT.source.replace("4.0", "0.0"), "a file")
    places = [(FREE, "myolegs")]
    matrix = transfer.Matrix(metric, [TEXT, flat], places, World(seeds).run(transfer.works([TEXT, flat], places)))
    assert (said in " ".join(matrix.limits())) if said else matrix.limits() == []
    assert matrix.document()["limits"] == matrix.limits()


def test_trials_of_a_search_that_came_out_the_same() -> None:
    trial = {"gates": {"fell": False, "diverged": False}, "episodes": [{}, {}], "falls": 0, "score": 78.0}
    assert not inner_tuning.told_apart([trial, dict(trial)])
    assert inner_tuning.told_apart([trial, trial | {"score": 78.5}]) and inner_tuning.told_apart([trial, trial | {"falls": 1}])
