"""Strides of made-up walks whose touchdowns are known."""

import numpy as np
import pytest
from support.footfalls import walk

from movlr_jax.gait import space_time
from movlr_jax.gait.strides import contacts, strides
from movlr_jax.gait.trajectory import Trajectory


def test_touchdowns_are_dated_between_rows(layout):
    found = strides(Trajectory(walk(layout, stride_s=1.104), layout))
    assert [s.side for s in found[:4]] == ["left", "right", "left", "right"]
    assert [s.seconds for s in found] == pytest.approx([1.104] * len(found), abs=0.003)
    left = found[0]
    assert left.toe_off_s - left.touchdown_s == pytest.approx(0.62 * 1.104, abs=0.003)
    assert left.other_touchdown_s - left.touchdown_s == pytest.approx(0.552, abs=0.003)
    assert left.touchdowns == 1
    assert not found[0].steady and not found[1].steady and all(s.steady for s in found[2:])


def test_space_and_time(layout):
    trajectory = Trajectory(walk(layout, late=0.11, width=0.14, length=1.2), layout)
    steady = [s for s in strides(trajectory) if s.steady]
    stances = {side: contacts(trajectory, side) for side in ("left", "right")}
    found = space_time.measure(trajectory, steady, stances)
    figures = found.figures()
    assert figures["stride_length_m"] == pytest.approx(1.2, abs=0.01)
    assert figures["step_width_m"] == pytest.approx(0.14, abs=1e-3)
    assert figures["cadence_spm"] == pytest.approx(120 / 1.1, abs=0.5)
    assert figures["stance_share"] == pytest.approx(0.62, abs=0.005)
    assert figures["double_support_share"] == pytest.approx(0.24, abs=0.005)
    # The right foot lands 0.6 of a stride after the left: its steps are 0.6 and the left's 0.4 of the stride's length.
    assert found.step_length_m.right.mean == pytest.approx(0.72, abs=0.01)
    assert found.step_length_m.left.mean == pytest.approx(0.48, abs=0.01)
    assert figures["step_symmetry"] == pytest.approx(0.8, abs=0.01)
    assert figures["stance_symmetry"] == pytest.approx(1.0, abs=0.005)


def test_chatter_is_counted_and_is_no_step(layout):
    calm = strides(Trajectory(walk(layout), layout))
    start = 0.33 + 1.1  # of the left foot's second stance
    shaken = walk(
        layout,
        # Lost and found again within 40 ms, twice; once between two rows.
        gaps={"left": [(start + 0.05, start + 0.09), (start + 0.12, start + 0.16), (start + 0.302, start + 0.31)]},
        touches={"left": [(start + 0.8, start + 0.82)]},  # the toe scuffs as it swings
    )
    found = strides(Trajectory(shaken, layout))
    assert len(found) == len(calm)
    assert [s.seconds for s in found] == pytest.approx([s.seconds for s in calm], abs=0.003)
    left = [s.touchdowns for s in found if s.side == "left"]
    assert left[:4] == [1, 4, 2, 1]


def test_a_foot_that_goes_nowhere_makes_no_step(layout):
    rows = walk(layout, length=0.0, width=0.2).astype(np.float64)
    for end in ("foot", "heel", "toe"):
        at = layout.column("sensor", layout.landmarks[f"left.{end}"]["position"] + 2)
        rows[:, at] = layout.standing[f"left_{end}_height"]
    found = strides(Trajectory(rows.astype(np.float32), layout))
    assert not [s for s in found if s.side == "left"]
    assert [s for s in found if s.side == "right"]  # it was lifted: stepping on the spot


def test_a_stumble_is_not_of_the_gait(layout):
    trajectory = Trajectory(walk(layout), layout)
    upright, fallen = strides(trajectory), strides(trajectory, fell=True)
    assert len(upright) == len(fallen)
    assert 0 < sum(s.steady for s in fallen) < sum(s.steady for s in upright)


def test_standing_has_no_strides(layout):
    rows = walk(layout)
    still = np.repeat(rows[:1], 100, axis=0)
    still[:, layout.columns("time")] = np.arange(100)[:, None] * 0.02
    trajectory = Trajectory(still, layout)
    assert strides(trajectory) == ()
    assert space_time.measure(trajectory, [], {}) is None
