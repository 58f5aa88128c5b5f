"""Gaits of saved motion: of a rollout's folder, one file, a run and an evaluation, and what is said where there is none."""

import dataclasses
import json

import numpy as np
import pytest
from support.gaits import saved, walked

import movlr_jax as movlr
from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import gait_study
from movlr_jax.gait import people
from movlr_jax.media import gait_page

ROW = {"reward": "human", "task": "walk_flat", "morphology": "myolegs"}


@pytest.fixture(scope="module")
def folder(layout, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("walk"), layout)


@pytest.fixture(scope="module")
def study(folder):
    return movlr.measure_gait(folder)


def test_saved_episodes_are_measured_beside_people(study):
    (row,) = study.document()["rows"]
    assert (row["task"], row["morphology"]) == ("walk_flat", "myolegs")
    assert [episode["seed"] for episode in row["episodes"]] == [1, 2]
    assert row["mean"]["knee_correlation"] > 0.99 and row["std"]["knee_correlation"] == 0.0
    assert row["people"]["knee_swing_flexion_deg"]["mean"] == pytest.approx(row["mean"]["knee_swing_flexion_deg"], abs=1.5)
    assert "Schwartz" in row["people"]["knee_swing_flexion_deg"]["source"]
    assert row["comparisons"][0]["speed_matched"] and len(row["comparisons"][0]["joints"]) == 6
    json.dumps(row, allow_nan=False)
    headings, cells = study.table()
    assert headings == ["figure", "seed 1", "seed 2", "mean", "people"]
    assert next(cell for cell in cells if cell[0] == "cadence [steps/min]")[1:] == ["109", "109", "109 ± 0", "106 ± 6"]
    assert "knee, correlation with the norm" in str(study)


def test_the_motions_are_exported(study, tmp_path):
    with np.load(study.export(tmp_path / "x.npz")) as archive:
        assert int(archive["n_episodes"]) == 2


def test_one_file_is_enough_where_it_is_said_what_it_is(folder, layout, tmp_path):
    assert len(gait_study.study(folder / "rollout_2.npz").rows[0].episodes) == 1
    walked(layout).save(tmp_path / "a.npz")
    with pytest.raises(MovlrError, match="add --task and --morphology"):
        gait_study.study(tmp_path / "a.npz")
    task = dataclasses.replace(movlr.load_task("walk_flat"), name="my_walk")
    assert movlr.measure_gait(tmp_path / "a.npz", task, "myolegs").rows[0].task == "my_walk"


def test_an_evaluation_tells_its_figures_and_has_no_motions(study, tmp_path):
    (row,) = study.document()["rows"]
    rows = [{"reward": reward, "task": "walk_flat", "morphology": "myolegs", "episodes": row["episodes"]} for reward in ("human", "stride")]
    atomic.write_json(tmp_path / "eval.json", {"rows": [*rows, {"reward": "x", "task": "stand", "morphology": "myolegs", "episodes": []}]})
    found = gait_study.study(tmp_path)
    headings, cells = found.table()
    assert headings == ["figure", "human, walk_flat, myolegs", "stride, walk_flat, myolegs", "people"]
    assert next(cell for cell in cells if cell[0].startswith("knee flexion in swing"))[-1] != "-"
    assert found.save(tmp_path / "out") is None and (tmp_path / "out" / "gait.json").exists()
    with pytest.raises(MovlrError, match="keeps no motions: save some with movlr rollout"):
        found.export(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ({}, "holds no recorded motion"),
        ({"eval.json": {"rows": 3}}, "is no evaluation"),
        ({"eval.json": {"rows": [{**ROW, "episodes": [{"seed": 1, "stance_share": "much"}]}]}}, "is no evaluation"),
        ({"eval.json": {"rows": [{**ROW, "episodes": [{"seed": 1, "stance_share": None}]}]}}, "has figures of its gait"),
        ({"eval.json": {"rows": []}}, "has figures of its gait"),
    ],
)
def test_what_holds_no_gait_is_told_in_a_sentence(tmp_path, documents, says):
    for name, document in documents.items():
        atomic.write_json(tmp_path / name, document)
    with pytest.raises(MovlrError, match=says):
        gait_study.study(tmp_path)


def test_a_walk_without_steady_strides_is_told(layout, tmp_path):
    made = walked(layout, 3)
    short = {
        name: getattr(made, name)[:40] for name in ("time", "qpos", "qvel", "act", "instants", "terms", "targets", "costs", "diverged")
    }
    dataclasses.replace(made, **short).save(tmp_path / "rollout.npz")
    found = gait_study.study(tmp_path, "walk_flat", "myolegs")
    assert found.table()[1] == [] and "without figures: seed 3" in str(found)


def test_people_of_another_speed_are_marked():
    slow = people.fact("cadence_spm", 0.5, 0.9)
    assert gait_page.people_cell("cadence_spm", slow, 0.5) == "98 ± 6 at 0.94 m/s"
    assert gait_page.people_cell("cadence_spm", slow, 0.9) == "98 ± 6" and gait_page.people_cell("cadence_spm", None) == "-"


def test_a_motion_of_another_body_is_refused(layout, tmp_path):
    made = walked(layout)
    dataclasses.replace(made, qpos=made.qpos[:, 1:]).save(tmp_path / "rollout.npz")
    with pytest.raises(MovlrError, match="is no motion of myolegs in this scene"):
        gait_study.study(tmp_path, "walk_flat", "myolegs")


def test_the_best_of_a_run_is_drawn_or_nothing_is(myolegs, tmp_path):
    (tmp_path / "heatmaps").mkdir()
    (tmp_path / "heatmaps" / "gait.png").write_bytes(b"an earlier best")
    assert gait_study.illustrate(tmp_path, myolegs) is None and not (tmp_path / "heatmaps" / "gait.png").exists()
