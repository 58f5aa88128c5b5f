"""Tasks: the registry, and metrics of motions whose metrics are known."""

import numpy as np
import pytest
from support.footfalls import walk
from support.synthetic import episode

from movlr_jax import tasks
from movlr_jax.control.episode import Rollout
from movlr_jax.errors import MovlrError
from movlr_jax.tasks import falls, metrics
from movlr_jax.tasks.gates import Gates
from movlr_jax.tasks.metric_registry import METRICS


def glide(layout, *, forward=0.5, left=0.0, height=0.95, seconds=2.0, ended="time", heading=0.0):
    """A made-up motion: the pelvis glides at constant velocity, upright."""
    count, dt = int(seconds * 50), 0.02
    time = np.arange(count) * dt
    instants = np.zeros((count, layout.size), np.float32)
    instants[:, layout.column("time")] = time
    instants[:, layout.column("frame", 2)] = 1.0
    for offsets in layout.landmarks.values():
        at = layout.column("sensor", offsets["position"])
        instants[:, at], instants[:, at + 1], instants[:, at + 2] = forward * time, left * time, height
        quat = layout.column("sensor", offsets["quat"])
        instants[:, quat], instants[:, quat + 3] = np.cos(heading / 2), np.sin(heading / 2)
    act = np.full((count, len(layout.muscles)), 0.2)
    empty = np.zeros((count, 1))
    return Rollout(
        7,
        seconds,
        dt,
        ended,
        time,
        empty,
        empty,
        act,
        instants,
        empty,
        ("t",),
        np.ones(1),
        empty,
        time,
        np.zeros(count, int),
        0.8,
    )


def test_metrics_of_a_glide(myolegs, layout):
    record = metrics.measure(myolegs, glide(layout, forward=0.5, left=-0.1, heading=0.25))
    assert record["distance_m"] == pytest.approx(0.5 * 1.98, abs=1e-4)
    assert record["lateral_drift_m"] == pytest.approx(0.1 * 1.98, abs=1e-4)
    assert record["mean_speed_mps"] == pytest.approx(0.495, abs=1e-3)
    assert record["heading_error_rad"] == pytest.approx(0.25, abs=1e-4)
    assert record["effort"] == pytest.approx(0.04) and record["step_symmetry"] is None
    assert not record["fell"] and record["fall_time_s"] is None and record["seed"] == 7


def test_a_fall_is_the_pelvis_below_six_tenths_of_standing(layout):
    standing = layout.standing["pelvis_height"]
    for ratio, fell in ((0.59, True), (0.61, False)):
        instant = glide(layout, height=ratio * standing).instants[0]
        assert bool(falls.LOWERED.over(layout, instant)) is fell


def test_a_walk_records_what_a_gait_laboratory_measures(myolegs, layout):
    record = metrics.measure(myolegs, episode(walk(layout, late=0.11, strides=4), len(layout.muscles)))
    assert record["step_symmetry"] == pytest.approx(0.8, abs=0.01)
    assert record["stride_time_s"] == pytest.approx(1.1, abs=0.005) and record["touchdowns_per_stride"] == 1.0
    details = {name for name in record if METRICS[name].detail}  # and each of them is registered
    assert len(details) > 25 and "step_symmetry" not in details


def test_an_episode_that_could_not_be_measured_takes_no_part_in_means(myolegs, layout):
    walked = metrics.measure(myolegs, episode(walk(layout, strides=4), len(layout.muscles)))
    fell = metrics.measure(myolegs, glide(layout, ended="fell"))
    assert "stride_time_s" not in fell and fell["step_symmetry"] is None
    for records in ([walked, fell], [fell, walked]):
        mean = metrics.summarize(records)["mean"]
        assert mean["stride_time_s"] == walked["stride_time_s"] and mean["fell"] == 0.5


def test_summary_averages_and_counts_falls(myolegs, layout):
    records = [metrics.measure(myolegs, glide(layout, forward=v, ended=e)) for v, e in ((0.5, "time"), (1.0, "fell"))]
    summary = metrics.summarize(records)
    assert summary["falls"] == 1 and summary["mean"]["fell"] == 0.5
    assert summary["mean"]["distance_m"] == pytest.approx(0.75 * 1.98, abs=1e-4)
    assert summary["mean"]["fall_time_s"] == pytest.approx(1.98) and summary["mean"]["step_symmetry"] is None


def test_gates(myolegs, layout):
    walk = tasks.get("walk_flat")
    went = metrics.measure(myolegs, glide(layout, forward=0.5))
    assert walk.gates(metrics.summarize([went])) == Gates(diverged=False, fell=0.0, moved=True)
    still = metrics.summarize([metrics.measure(myolegs, glide(layout, forward=0.05, ended="fell"))])
    assert walk.gates(still) == Gates(diverged=False, fell=1.0, moved=False)
    assert tasks.get("stand").gates(still).moved is None
    assert walk.gates(metrics.summarize([went | {"diverged": True, "distance_m": None}])) == Gates(diverged=True, fell=0.0, moved=False)


def test_starts_vary_with_the_seed_and_repeat(myolegs):
    task = tasks.get("walk_flat")
    a, b, c = (task.start(myolegs, s).qpos for s in (0, 0, 1))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert np.abs(a - c).max() < 0.06


def test_an_unknown_task_is_refused():
    with pytest.raises(MovlrError, match="did you mean walk_flat"):
        tasks.get("walk_flatt")


def test_drift_counts_from_where_a_turning_body_first_faces_the_way_of_the_task(myolegs, layout):
    rollout = glide(layout, forward=0.5, left=-0.4, heading=-1.2)
    turned = glide(layout, heading=0.1).instants
    quats = [layout.column("sensor", offsets["quat"]) + i for offsets in layout.landmarks.values() for i in range(4)]
    rollout.instants[50:, quats] = turned[50:, quats]  # faces forward from 1 s on
    assert metrics.measure(myolegs, rollout)["lateral_drift_m"] == pytest.approx(0.4 * 0.98, abs=1e-4)


def test_the_turn_is_asked_for_by_the_frame(myolegs):
    task = tasks.get("turn_left")
    frame = task.frame(task.start(myolegs, 0))
    assert np.allclose(frame.forward, [0.0, 1.0]) and frame.goal == (task.goal_speed, 0.0)
