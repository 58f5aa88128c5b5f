"""Ablation: differences and their sizes, ranking, pruning; and, on the real body, that a variant compiles and builds nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import jax.monitoring
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import evaluation
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import Evaluation
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Watcher, Work
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.rewards.program import literal_weights
from movlr_jax.tasks.metric_registry import METRICS
from movlr_jax.tuning import ablation, pruning
from movlr_jax.tuning.difference import Difference, difference

WALK, STAND = tasks.get("walk_flat"), tasks.get("stand")
TEXT = RewardText(
    "toy",
    'WEIGHTS = {\n    "go": 4.0,\n    "stay": 2.0,\n    "idle": 1.0,\n    "brake": 3.0,\n}\n\n\ndef terms(m):\n    return {\n'
    + "".join(f'        "{t}": m.com.velocity_forward,\n' for t in ("go", "stay", "idle", "brake"))
    + "    }\n",
)


TWO = """WEIGHTS = {"height": 100.0, "speed": 20.0}


def terms(m):
    return {"height": -smooth_abs(m.head.height - m.standing.head_height), "speed": -smooth_abs(m.com.velocity_forward - 0.8)}
"""


class World:
    """Stands for an evaluation: the metrics of an episode follow from the weights and the seed alone."""

    def __init__(self, distance: Callable[[dict[str, float]], float], seeds: tuple[int, ...] = (0, 1, 2)):
        self.distance, self.seeds, self.asked = distance, seeds, 0

    def run(self, works: list[Work]) -> list[Row]:
        self.asked += len(works)
        return [Row(w, "native", 2.0, 0.8, tuple(self.episode(w, seed) for seed in self.seeds)) for w in works]

    def episode(self, work: Work, seed: int) -> dict[str, object]:
        assert work.reward is not None
        weights = {**literal_weights(work.reward.source), **work.weights}
        distance = self.distance(weights) + 0.1 * seed
        fell = not weights.get("stay")
        return {"seed": seed, "seconds": 2.0, "fell": fell, "diverged": False, "distance_m": distance, "effort": 0.02}


def toy(weights: dict[str, float]) -> float:
    return 1.0 * (weights.get("go", 0.0) > 0) + 0.05 * weights.get("go", 0.0) - 0.2 * weights.get("brake", 0.0) + 1.0


def test_a_difference_has_its_unit_its_spread_and_its_size() -> None:
    def row(*distances: float | None) -> Row:
        return Row(Work(TEXT, "toy", WALK, "myolegs"), "native", 2.0, 0.8, tuple({"seed": i, "d": v} for i, v in enumerate(distances)))

    found = difference(row(1.0, 2.0, 3.0), row(2.0, 3.5, 3.5), "d")
    pooled = math.sqrt(0.5 * (1.0 + 0.75))
    assert found.raw == 1.0 and found.effect == pytest.approx(1.0 / pooled) == found.gain
    assert found.raw_std == pytest.approx(np.std([1.0, 1.5, 0.5]))
    # One seed has no spread, and a difference without spread no size; a share stands in for the first, nothing for the second.
    assert difference(row(2.0), row(1.0), "d") == Difference(2.0, 0.0, 1.0, 0.0, -1.0, None, None, -0.5)
    assert difference(row(1.0, 1.0), row(2.0, 2.0), "d").effect is None
    assert difference(row(1.0, 1.0), row(1.0, 1.0), "d").effect == 0.0
    assert difference(row(1.0, 2.0), row(None, None), "d").raw is None


def test_the_ranking_tells_what_earns_its_place(tmp_path: Path) -> None:
    found = ablation.ablate(World(toy), TEXT, [(WALK, "myolegs"), (STAND, "myolegs")], metric="distance_m")  # type: ignore[arg-type]
    assert {r.term: r.verdict for r in found.ranking()} == {
        "stay": "earns its place",
        "go": "earns its place",
        "idle": "does little",
        "brake": "harms",
    }
    assert [r.term for r in found.ranking()] == ["stay", "go", "idle", "brake"] and found.ranking()[0].falls == 1.0
    by = {(v["term"], v["factor"]): v for v in found.document()["variants"]}
    assert len(by) == 12 and by["go", 2.0]["weight"] == 8.0
    assert by["go", 2.0]["places"][1]["differences"]["distance_m"]["raw"] == pytest.approx(0.2)
    assert by["brake", 0.0]["places"][0]["differences"]["distance_m"]["effect"] == pytest.approx(0.6 / 0.1)
    assert [p.name for p in found.draw(tmp_path)] == ["ablation_x0.png", "ablation_x0.5.png", "ablation_x2.png"]
    assert found.table()[1][0][5:7] == ["0 of 3", "distance [m]"] and len(found.all_metrics()[1]) == 24


def test_pruning_keeps_what_the_reward_does() -> None:
    world = World(toy)
    found = ablation.ablate(world, TEXT, [(WALK, "myolegs")])  # type: ignore[arg-type]
    world.asked = 0
    pruned = pruning.prune(found, world)  # type: ignore[arg-type]
    assert pruned.dropped == ("brake", "idle") and literal_weights(pruned.text.source) == {"go": 4.0, "stay": 2.0}
    assert world.asked == len(literal_weights(TEXT.source)) + 1  # each term once, then the text
    assert "stay stays: 3 instead of 0 of 3 fall" in pruned.tried and pruned.rows[0].episodes[0]["distance_m"] == pytest.approx(2.2)


def test_a_drop_that_the_text_does_not_stand_is_taken_back() -> None:
    class Refusing(World):
        def run(self, works: list[Work]) -> list[Row]:
            """Refuse, as the sandbox may, any text without the term idle."""
            rows = super().run(works)
            texts = [literal_weights(w.reward.source) for w in works if w.reward]
            return [r if "idle" in t else Row(r.work, "native", 2.0, 0.8, refused="It lies.") for r, t in zip(rows, texts, strict=True)]

    world = Refusing(toy)
    found = ablation.ablate(world, TEXT, [(WALK, "myolegs")])  # type: ignore[arg-type]
    pruned = pruning.prune(found, world)  # type: ignore[arg-type]
    assert pruned.dropped == ("brake",) and pruned.tried[-1].startswith("idle comes back") and "It lies." in pruned.tried[-1]


def test_directions_are_of_metrics_that_exist() -> None:
    own = {task.metric for task in tasks.TASKS.values()}
    assert METRICS["distance_m"].sign == 1 and METRICS["heading_error_rad"].sign == -1 and own <= set(METRICS)
    assert {name for name in own if METRICS[name].better == "lower"} == {
        "heading_error_rad",
        "final_position_error_m",
        "final_orientation_error_rad",
        "final_posture_change",
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"factors": (1.0,)}, "0 or more that are not 1"),
        ({"factors": (-1.0,)}, "0 or more"),
        ({"tolerance": 1.0}, "less than 1"),
        ({"metric": "distnce_m"}, "did you mean distance_m"),
    ],
)
def test_values_that_cannot_be(more, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match=said):
        ablation.ablate(World(toy), TEXT, [(WALK, "myolegs")], **more)  # type: ignore[arg-type]


def test_variants_compile_and_build_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    builds: list[int] = []

    class Begin(Watcher):
        """Forgets what was compiled up to the end of the very first plan."""

        planned = False

        def advanced(self, t: float) -> None:
            if not self.planned:
                self.planned = True
                events.clear()

    def heard(event: str, seconds: float, **more: object) -> None:
        if "/compile/" in event:  # tracing, lowering and compiling alike
            events.append(event)

    build = NativeSimulator.__init__
    monkeypatch.setattr(NativeSimulator, "__init__", lambda self, *a, **k: (builds.append(1), build(self, *a, **k))[1])
    planner = MPPI(candidates=4, elites=2, instant=2, horizon=0.04)
    settings = EpisodeSettings(seeds=(0, 1), seconds=0.06, planner=planner, threads=1)
    text = RewardText("two", TWO)
    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        with EpisodeStore(tmp_path / "episodes") as store:
            measured = Evaluation(settings, store, watcher=Begin())
            found = ablation.ablate(measured, text, [(STAND, "myolegs")], metric="effort")
            gone, _ = pruning.candidates(found, measured)
            assert events == [] and builds == [1]
            # What was measured under changed weights is what the changed text gives.
            term, weight = next(iter(literal_weights(text.source).items()))
            changed = RewardText("halved", text.source.replace(f'"{term}": {weight}', f'"{term}": {weight / 2}'))
            (row,) = measured.run([Work(changed, "halved", STAND, "myolegs")])
            assert events == [] and row.episodes == found.rows[term, 0.5][0].episodes
            (again,) = evaluation.evaluate([Work(text, "human", STAND, "myolegs", weights=literal_weights(text.source))], settings, store)
            assert again.episodes == found.unchanged[0].episodes
            # Another term is heard, so silence above means something.
            other = RewardText("other", text.source.replace("- 0.8", "- 0.7"))
            measured.run([Work(other, "other", STAND, "myolegs")])
            assert events
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    assert len(found.rows) == 3 * len(literal_weights(text.source)) and isinstance(gone, list)


def test_an_early_end_compiles_nothing(myolegs) -> None:  # type: ignore[no-untyped-def]
    from movlr_jax.control.episode import EpisodeRunner, Job
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.rewards.reward import Reward

    reward = Reward.trusted("start", WALK.rewards["start"], feature_layout(myolegs))
    runner = EpisodeRunner.build(myolegs, MPPI(candidates=4, elites=2, instant=2, horizon=0.04), "native", threads=1)
    start = WALK.start(myolegs, 0)
    job = Job(reward, start, WALK.frame(start), 0)
    (whole,) = runner.run_many([job], seconds=0.1, fallen=lambda instant: False)
    events: list[str] = []
    heard = lambda event, seconds, **more: events.append(event) if "/compile/" in event else None
    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        seen = iter((False, False, True))
        (short,) = runner.run_many([job], seconds=0.1, fallen=lambda instant: next(seen))
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    assert short.ended == "fell" and len(short.time) == 3 < len(whole.time) and events == []
    assert np.array_equal(short.terms, whole.terms[:3])
