"""The joined record: a real episode's figures by name, and what is known of bodies and motions that do not walk."""

import numpy as np
import pytest
from support.footfalls import walk
from support.synthetic import episode

from movlr_jax import tasks
from movlr_jax.gait import analysis, feet, stability, sway
from movlr_jax.gait.foot_outline import outline
from movlr_jax.gait.strides import strides
from movlr_jax.gait.trajectory import Trajectory


@pytest.fixture(scope="module")
def walked(layout):
    trajectory = Trajectory(walk(layout), layout)
    return trajectory, [s for s in strides(trajectory) if s.steady]


def test_margins_of_stability_follow_the_formula(myolegs, walked):
    trajectory, steady = walked
    found = stability.measure(myolegs, trajectory, steady)
    foot, row = outline(myolegs, "left"), steady[0].next_touchdown_row
    place, velocity = trajectory.com()
    landed = trajectory.position("left.foot")[row]
    pendulum = np.linalg.norm(place[row] - landed - np.array(foot.ankle))
    xi = place[row, 0] + velocity[row, 0] * np.sqrt(pendulum / 9.81)
    left = [s for s in steady if s.side == "left"]
    assert found.backward.left.count == len(left)
    assert found.backward.left.mean == pytest.approx(xi - (landed[0] + foot.rear), abs=0.03)
    assert found.backward.left.mean + found.forward.left.mean == pytest.approx(foot.front - foot.rear, abs=1e-4)
    # The body stays between its feet, 0.07 m from either: half the sole lies beyond.
    assert found.lateral.mean == pytest.approx(0.07 + foot.outer, abs=1e-3)
    assert found.lateral.symmetry == pytest.approx(1.0, abs=0.01)


def test_a_foot_has_edges_and_an_ankle(myolegs):
    left, right = outline(myolegs, "left"), outline(myolegs, "right")
    assert left.rear < -0.05 < 0.1 < left.front  # a foot of 0.2 to 0.3 m
    assert 0.2 < left.front - left.rear < 0.32
    assert left.outer == pytest.approx(-right.outer, abs=1e-3) and 0.03 < left.outer < 0.08
    assert 0.03 < left.ankle[2] < 0.12


def test_feet_land_and_swing(layout, walked):
    trajectory, steady = walked
    found = feet.measure(trajectory, steady)
    assert found.foot_strike_deg.mean == pytest.approx(0.0, abs=0.1)
    assert found.touchdowns_per_stride.mean == 1.0
    assert found.toe_clearance_m.mean == pytest.approx(0.05 * np.sin(np.pi * 0.25), abs=0.005)
    assert found.toe_drag_share.mean == 0.0
    scuffed = Trajectory(walk(layout, touches={"right": [(t, t + 0.05) for t in (1.86, 2.96, 4.06)]}), layout)
    dragged = feet.measure(scuffed, [s for s in strides(scuffed) if s.steady])
    assert dragged.toe_drag_share.right.mean > 0.05 and dragged.toe_drag_share.left.mean == 0.0
    assert dragged.touchdowns_per_stride.right.mean > 1.2


def test_sway_of_a_head_that_does_not(walked):
    found = sway.measure(*walked)
    assert found.head_rise_m.mean == pytest.approx(0.0, abs=1e-5)
    assert found.trunk_sway_rms_deg.mean == pytest.approx(0.0, abs=1e-3)


def test_standing_and_a_blown_up_episode_have_no_figures_of_strides(myolegs, layout):
    rows = walk(layout)[:20]
    found = analysis.analyse(myolegs, episode(rows, len(layout.muscles)))
    assert found.space_time is None and found.feet is None and found.ground is not None
    rows[1:] = np.nan
    assert analysis.analyse(myolegs, episode(rows, len(layout.muscles))).figures() == {}


def test_figures_are_flat_numbers(myolegs, layout):
    figures = analysis.analyse(myolegs, episode(walk(layout, strides=4), len(layout.muscles))).figures()
    assert all(value is None or isinstance(value, float) for value in figures.values())
    assert {"stride_time_s", "step_symmetry", "first_peak_bw", "margin_backward_m", "head_rise_m", "touchdowns_per_stride"} <= set(figures)


def test_stairs_are_ground_too(myolegs, layout):
    climber, ahead = tasks.get("walk_stairs").load("myolegs"), 2.0
    step = float(climber.terrain.height(np.array([ahead, 0.0])))
    rows = walk(layout, strides=3)
    rows[:, layout.columns("qpos")] = climber.standing_qpos
    rows[:, layout.column("qpos")] = ahead
    rows[:, layout.column("qpos", 2)] += step
    found = analysis.analyse(climber, episode(rows, len(layout.muscles)))
    assert found.space_time is not None and found.feet is not None
    assert step > 0.1 and found.ground.force[-1, :, 2].sum() > 0.2
