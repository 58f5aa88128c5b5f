"""Joint curves of a walk that follows people's."""

import mujoco
import numpy as np
import pytest
from support.striding import people, striding

from movlr_jax.gait import curves
from movlr_jax.gait.curves import JointCurve, Kinematics, over_cycle
from movlr_jax.gait.strides import strides
from movlr_jax.gait.trajectory import Trajectory


def test_the_curves_of_a_walk_are_those_that_its_joints_follow(layout):
    wanted = people(layout)
    trajectory = Trajectory(striding(layout, wanted), layout)
    found = curves.measure(trajectory, [s for s in strides(trajectory) if s.steady]).curves
    assert {(c.side, c.joint) for c in found} == {(side, joint) for side in ("left", "right") for joint in wanted}
    for curve in found:
        assert len(curve.cycles) >= 3
        assert np.abs(curve.mean - wanted[curve.joint]).max() < 1.5  # rows are 20 ms apart, where the knee turns by up to 6 deg
        assert curve.sd.max() < 1.5


def test_events_are_where_a_gait_laboratory_reads_them():
    knee = np.zeros(101)
    knee[12], knee[45], knee[55], knee[72] = 18.0, 25.0, 40.0, 60.0  # late stance bends already for the swing
    ankle = np.full(101, 5.0)
    ankle[45], ankle[63], ankle[90], ankle[5] = 12.0, -17.0, -25.0, -9.0  # a drop foot late in swing is no push-off
    hip = np.zeros(101)
    hip[85], hip[50] = 30.0, -12.0
    stance = np.array([0.6])
    cycles = {"knee_flexion": knee, "ankle_flexion": ankle, "hip_flexion": hip}
    found = Kinematics(tuple(JointCurve("left", joint, cycle[None], stance) for joint, cycle in cycles.items())).figures()
    assert found["knee_loading_flexion_deg"] == 18.0 and found["knee_swing_flexion_deg"] == 60.0
    assert found["ankle_push_off_deg"] == 17.0 and found["ankle_dorsiflexion_deg"] == 12.0
    assert (found["hip_flexion_deg"], found["hip_extension_deg"], found["hip_range_deg"]) == (30.0, 12.0, 42.0)


def test_values_of_any_width_are_put_over_a_stride(layout):
    trajectory = Trajectory(striding(layout, {}), layout)
    stride = next(s for s in strides(trajectory) if s.steady)
    both = over_cycle(np.stack([trajectory.time, -trajectory.time], axis=1), trajectory.time, stride)
    assert both.shape == (101, 2) and both[0, 0] == pytest.approx(stride.touchdown_s, abs=1e-6)
    assert both[:, 0] == pytest.approx(np.linspace(stride.touchdown_s, stride.next_touchdown_s, 101), abs=1e-5)
    assert over_cycle(trajectory.time, trajectory.time, stride).shape == (101,)


def test_the_zero_of_a_human_is_its_straight_leg(myolegs, layout):
    data = mujoco.MjData(myolegs.model)
    data.qpos[:] = myolegs.model.qpos0
    mujoco.mj_kinematics(myolegs.model, data)
    at = {joint: data.joint(anatomy[0]).xanchor for joint, anatomy in layout.anatomy.items()}
    for side in ("left", "right"):
        thigh = at[f"{side}.hip_flexion"] - at[f"{side}.knee_flexion"]
        shank = at[f"{side}.knee_flexion"] - at[f"{side}.ankle_flexion"]
        angles = [np.degrees(np.arccos(v @ w / np.linalg.norm(v) / np.linalg.norm(w))) for v, w in ((thigh, shank), (thigh, (0, 0, 1)))]
        assert max(angles) < 6.0
