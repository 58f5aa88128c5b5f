"""The archive of elites: who holds which niche, that writers are shown them, and that it is a function of the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import critic_records
from support.pendulum_stages import PendulumStages, source_of

from movlr_jax.critics.critique import Critique
from movlr_jax.facts import Facts
from movlr_jax.feedback.feedback import _unjudged
from movlr_jax.runs import race_config
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import archive
from movlr_jax.searches.archive import Entry
from movlr_jax.searches.loop import Loop
from movlr_jax.writers import elites_text
from movlr_jax.writers.base import Draft, Elite, WriteRequest


def entry(iteration: int, record: dict[str, Any], moved: bool | None = True, score: float | None = None) -> Entry:
    """Return an iteration with a motion."""
    facts = Facts.read(record)
    fell = facts.metrics.fell
    metrics = {
        "gates": {"fell": fell, "diverged": False, "moved": moved},
        "falls": int(fell),
        "episodes": [{"fell": fell, "seconds": facts.metrics.seconds}],
        "score": critic_records.score(record) if score is None else score,
    }
    return Entry(iteration, metrics, facts, f"outcome {iteration}")


def test_each_niche_is_held_by_who_does_it_best() -> None:
    walk, fall = critic_records.walk, critic_records.fall
    lunge = fall(time_s=3.9)
    lunge["metrics"]["distance_m"] = 3.9
    entries = [
        entry(0, fall(time_s=0.9)),
        entry(1, walk(metrics__distance_m=2.9, gait__crossed_feet_fraction=0.3, gait__mean_swing_clearance_m=0.0)),
        entry(2, lunge),
        entry(3, walk(metrics__distance_m=2.7, metrics__effort=0.05)),
        entry(4, walk(metrics__distance_m=3.1, metrics__effort=0.09)),
        entry(5, walk(metrics__distance_m=1.2, metrics__mean_speed_mps=0.3, metrics__effort=0.01)),
    ]
    held = archive.holders(entries, 1)
    assert next(iter(held)) == "best" and held["best"] == 1
    # A lunge that falls gets on farthest; those that stay up do so for as long, and the best of them by score holds it.
    assert held["farthest"] == 2 and held["longest"] == 4
    assert archive.clumsiness(entries[1].facts) > archive.clumsiness(entries[3].facts) and held["coordinated"] in (3, 4)
    # The slow one takes less, and does not do what is asked.
    assert held["effortless"] == 3
    assert archive.holders([], None) == {}
    assert archive.holders(entries[:1], 0).keys() == {"best", "farthest", "longest"}, "who fell is neither coordinated nor done"


def test_equals_are_told_apart_by_gates_and_score_then_by_who_was_first() -> None:
    record = critic_records.walk()
    assert archive.holders([entry(n, record) for n in range(3)], 0)["longest"] == 0
    better = [entry(0, record, score=50.0), entry(1, record, score=60.0)]
    assert archive.holders(better, 0)["longest"] == 1
    still = [entry(0, record, moved=False, score=90.0), entry(1, record, score=60.0)]
    assert archive.holders(still, 0)["longest"] == 1 and archive.holders(still, 0)["coordinated"] == 1


def test_how_far_a_motion_got_is_by_the_goals_own_measure() -> None:
    walk = critic_records.walk()
    assert archive.progress(Facts.read(walk)) == 3.2
    assert archive.progress(Facts.read({**walk, "goal_speed_mps": None})) is None
    assert archive.progress(Facts.read({**walk, "metrics": {**walk["metrics"], "goal_reached": 0.4}})) == 0.4
    assert archive.progress(Facts.read({**walk, "metrics": {**walk["metrics"], "final_position_error_m": 0.1}})) == -0.1


class Told(PendulumStages):
    """Motions whose facts are written down, in the order of the iterations."""

    def __init__(self, *records: dict[str, Any]):
        super().__init__(start={"speed": 1.0})
        self.records = records

    def write(self, request: WriteRequest) -> Draft:
        self.requests.append(request)
        return Draft(source_of({"speed": 1.0 + request.iteration}), f"edit {request.iteration}", name=f"iteration {request.iteration}")

    def describe(self, reward: Any, rollouts: Any, summary: Any) -> Facts:
        record, told = self.records[round(reward.weights["speed"]) - 1], super().describe(reward, rollouts, summary).to_json()
        return Facts.read({**told, **{name: value for name, value in record.items() if name not in ("terms", "episodes")}})


def test_writers_are_shown_the_elites_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    walk, far = critic_records.walk, critic_records.fall(time_s=3.0)
    far["metrics"]["distance_m"] = 4.5
    records = walk(metrics__distance_m=2.0), far, walk(metrics__distance_m=1.5, metrics__effort=0.001), walk()
    stages = Told(*records)
    config = RunConfig(iterations=3, race=race_config.OFF)
    folder = RunFolder.create(tmp_path / "run", config.to_yaml(), {"seed": 0}, config.seeds)
    result = Loop(folder, config, stages, (), None, {}).run()
    first, second, third = stages.requests
    assert [elite.iteration for elite in first.elites] == [0] and first.elites[0].niches[0] == "best"
    elites = {elite.iteration: elite for elite in third.elites}
    assert [elite.iteration for elite in second.elites if "farthest" in elite.niches] == [1]
    assert "farthest" in elites[1].niches and elites[1].source == folder.programs()[1] == source_of({"speed": 2.0})
    assert elites[1].outcome == result.rows[1].tried[0].outcome and elites[1].facts.metrics.distance_m == 4.5
    assert elites[1].critique is not None and elites[1].critique.summary == result.rows[1].critique
    # It is a function of the folder, and where nobody judges there is no critique.
    again = archive.elites(RunFolder(tmp_path / "run", config.seeds), folder.programs())
    assert [e.iteration for e in again if "effortless" in e.niches] == [3], "the last motion alone does what is asked"
    assert all(elite.critique is None for elite in _unjudged(third).elites)
    # Who is not shown what failed is not shown elites, which may have failed, either.
    hidden = Told(*records)
    config = RunConfig(iterations=1, race=race_config.OFF, show_failed=False)
    folder = RunFolder.create(tmp_path / "hidden", config.to_yaml(), {"seed": 0}, config.seeds)
    Loop(folder, config, hidden, (), None, {}).run()
    assert hidden.requests[0].elites == ()


def elite(iteration: int, *niches: Any, source: str = "") -> Elite:
    facts = Facts.read(critic_records.walk(metrics__effort=0.031))
    critique = Critique(success=True, summary="It walks.")
    source = source or source_of({"speed": float(iteration)})
    return Elite(niches, iteration, source, f"score {iteration}.00, 3.20 m", 1.0, facts, 0.45, critique)


def test_in_words() -> None:
    best = source_of({"speed": 9.0})
    request = WriteRequest("Walk.", "", best, {}, best=4, elites=(elite(4, "best", "longest"), elite(2, "farthest", "effortless")))
    words = elites_text.elites(request)
    assert words.startswith("The best also stays up longest.")
    assert "Iteration 2 gets on farthest, takes the least effort of those that do what the goal asks for: score 2.00, 3.20 m" in words
    assert "stayed up 4.00 s of 4 s, effort 0.031, coordination faults 0.45" in words
    assert f"```python\n{source_of({'speed': 2.0}).strip()}\n```" in words and best not in words
    assert "effort 0.031" not in elites_text.elites(request, measured=False)
    assert elites_text.elites(WriteRequest("Walk.", "", best, {}, best=4, elites=(elite(4, "best"),))) == "None beside the best yet."
    # Bounded: so many, and a long program by its difference from the best.
    long = best + "# " + "long " * 2000
    many = WriteRequest("Walk.", "", best, {}, best=4, elites=tuple(elite(n, "longest", source=long) for n in range(5, 15)))
    words = elites_text.elites(many)
    assert words.count("Iteration") == elites_text.MOST and "Against the best program" in words and "+# long" in words
