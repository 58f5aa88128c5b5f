"""The run's folder: refusals, the lock, and promotions that were cut short."""

from __future__ import annotations

import pytest

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.runs.run_folder import RunFolder


def test_a_taken_folder_is_refused_in_one_sentence(tmp_path):
    RunFolder.create(tmp_path / "run", "task: stand\n", {"seed": 0})
    with pytest.raises(MovlrError, match="movlr resume"):
        RunFolder.create(tmp_path / "run", "", {})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("mine")
    with pytest.raises(MovlrError, match="not empty"):
        RunFolder.create(tmp_path / "other", "", {})
    with pytest.raises(MovlrError, match="holds no run"):
        RunFolder.find(tmp_path / "other")
    assert (tmp_path / "other" / "thesis.tex").read_text() == "mine"


def test_a_folder_is_worked_in_by_one_at_a_time(tmp_path):
    folder = RunFolder.create(tmp_path / "run", "", {})
    with folder.locked(), pytest.raises(MovlrError, match="Another process is working in"), RunFolder(folder.path).locked():
        pass
    with folder.locked():
        pass


def test_a_promotion_that_was_cut_short_is_completed(tmp_path):
    folder = RunFolder.create(tmp_path / "run", "", {}, (4, 2))
    iteration = folder.iteration(1)
    for index in (0, 1):
        candidate = iteration.candidate(index)
        for name in ("reward.py", "metrics.json", "drafts/00.json", "rollout_2.npz"):
            atomic.write_bytes(candidate[name], str(index).encode())
    assert iteration.candidate(1).rollout(4).name == "rollout.npz"
    # What a kill between two renames leaves: the drafts have moved up, the rest has not.
    (iteration.candidate(1)["drafts"]).replace(iteration["drafts"])
    iteration.promote(1)
    iteration.promote(1)
    assert sorted(p.name for p in iteration.path.iterdir()) == ["candidates", "drafts", "metrics.json", "reward.py", "rollout_2.npz"]
    assert iteration["reward.py"].read_text() == "1" and iteration.candidate(0)["reward.py"].read_text() == "0"
    assert not iteration.candidate(1).path.exists()


ROW = {
    **dict.fromkeys(("reward", "why", "critique", "edit"), ""),
    **{name: {} for name in ("metrics", "gates", "weights", "term_classes", "changes", "seconds")},
    **{"score": 1.0, "parent": None, "candidate": 0, "refusals": []},
}


def test_rows_best_and_tried_sources_come_from_finished_work_only(tmp_path):
    folder = RunFolder.create(tmp_path / "run", "", {})
    for number, kept in enumerate((True, False, True, False)):
        atomic.write_json(folder.iteration(number)["iteration.json"], {**ROW, "iteration": number, "kept": kept})
    assert folder.best() == 2
    folder.point_best()
    assert str(folder["best"].readlink()) == "iterations/002"
    proven, begun = folder.iteration(4).candidate(0), folder.iteration(4).candidate(1)
    for candidate in (proven, begun):
        atomic.write_text(candidate["reward.py"], f"WEIGHTS = {candidate.index}\n")
    atomic.write_json(proven["verdict.json"], {})
    assert folder.sources() == {"WEIGHTS = 0": "iteration 4"}
