"""Which seeds of an iteration are filmed: the first, the worst and the best; with one seed the files are what they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.pendulum_stages import PendulumStages, tree

from movlr_jax.errors import MovlrError
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder, read_arrays
from movlr_jax.searches.loop import Loop
from movlr_jax.searches.replay import _Films
from movlr_jax.searches.stages import Json


@pytest.fixture(autouse=True)
def _unflushed(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Watched(PendulumStages):
    """Keeps what critics are shown."""

    def __init__(self) -> None:
        super().__init__(bad_share=0.0)
        self.motions, self.pairs = [], []

    def critique(self, motion, earlier) -> Json:
        self.motions.append(motion)
        return super().critique(motion, earlier)

    def compare(self, a, b):
        self.pairs.append((a, b))
        return super().compare(a, b)


def search(path: Path, stages: PendulumStages, seeds: tuple[int, ...], iterations: int = 3) -> RunFolder:
    config = RunConfig(iterations=iterations, seeds=seeds)
    known = (path / "run.json").exists()
    folder = RunFolder(path, seeds) if known else RunFolder.create(path, config.to_yaml(), {"seed": 0}, seeds)
    assert Loop(folder, config, stages, (), None, {}).run().stopped == "iterations"
    return folder


def test_with_several_seeds_the_first_the_worst_and_the_best_are_filmed(tmp_path):
    stages = Watched()
    folder = search(tmp_path / "run", stages, (4, 0, 1, 2, 3))
    for number in range(4):
        place = tmp_path / "run" / "iterations" / f"{number:03d}"
        records = json.loads((place / "metrics.json").read_text())["episodes"]
        order = sorted(records, key=lambda e: (-e["fell"], e["distance_m"]))
        worst, best = order[0]["seed"], order[-1]["seed"]
        assert {p.name for p in place.glob("clip*")} == {"clip.mp4"} | {f"clip_{s}.mp4" for s in (worst, best) if s != 4}
        told = folder.chosen(number).facts()
        assert told.worst == worst and told.seeds == tuple(dict.fromkeys((4, worst, best)))
        motion = stages.motions[number]
        assert set(motion.clips) == set(told.seeds) and motion.clip.name == "clip.mp4"
    assert stages.pairs and all(4 in a.clips and 4 in b.clips for a, b in stages.pairs)
    # A repeated motion keeps each of its films.
    films, chosen = _Films(folder), folder.chosen(0)
    again = tmp_path / "again.mp4"
    for seed, clip in chosen.clips().items():
        assert films(read_arrays(chosen.rollout(seed)), again) and again.read_bytes() == clip.read_bytes()


def test_with_one_seed_nothing_has_another_name(tmp_path):
    search(tmp_path / "run", Watched(), (3,))
    assert {p.name for p in (tmp_path / "run").rglob("*clip*")} == {"clip.mp4"}
    assert "extremes" not in json.loads((tmp_path / "run/iterations/000/facts.json").read_text())


def test_a_run_that_an_earlier_version_left_before_its_critique_goes_on(tmp_path):
    class Stopped(Watched):
        def critique(self, motion, earlier):
            raise MovlrError("enough")

    with pytest.raises(MovlrError):
        search(tmp_path / "run", Stopped(), (0, 1))
    place = tmp_path / "run" / "iterations" / "000" / "candidates" / "0"
    facts = json.loads((place / "facts.json").read_text())
    (place / "facts.json").write_text(json.dumps({k: v for k, v in facts.items() if k not in ("seed", "extremes")}))
    (place / "clip_1.mp4").unlink()
    stages = Watched()
    search(tmp_path / "run", stages, (0, 1))
    assert set(stages.motions[0].clips) == {0} and stages.motions[0].facts.seed == 0
    assert not (tmp_path / "run/iterations/000/clip_1.mp4").exists() and (tmp_path / "run/iterations/001/clip_1.mp4").exists()


def test_the_same_run_has_the_same_films(tmp_path):
    for name in "ab":
        search(tmp_path / name, Watched(), (0, 1, 2))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
