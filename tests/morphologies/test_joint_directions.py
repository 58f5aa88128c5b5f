"""What a positive angle means: told from geometry, and true of the model."""

from __future__ import annotations

import mujoco
import numpy as np

from movlr_jax.morphologies import joint_directions
from movlr_jax.rewards.vocabulary import vocabulary


def test_the_legs_go_where_they_should(myolegs):
    told = joint_directions.directions(myolegs)
    assert tuple(told) == myolegs.posture.names
    wanted = {
        "hip_flexion_r": "forward",
        "hip_adduction_r": "left",
        "hip_adduction_l": "right",
        "hip_rotation_r": "turns left",  # the toes inward
        "hip_rotation_l": "turns right",
        "knee_angle_l": "backward",
        "ankle_angle_r": "up and forward",
    }
    assert {name: told[name] for name in wanted} == wanted


def test_a_small_step_moves_the_part_beyond_that_way(myolegs):
    model, data = myolegs.model, mujoco.MjData(myolegs.model)

    def beyond(joint: str, by: float) -> np.ndarray:
        data.qpos[:] = myolegs.standing_qpos
        data.qpos[model.joint(joint).qposadr[0]] += by
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        return data.subtree_com[model.joint(joint).bodyid[0]].copy()

    axis = {"forward": (0, 1), "backward": (0, -1), "left": (1, 1), "right": (1, -1), "up": (2, 1), "down": (2, -1)}
    for joint, words in joint_directions.directions(myolegs).items():
        if not words.startswith("turns"):
            moved = beyond(joint, 0.01) - beyond(joint, 0.0)
            for word in words.split(" and "):
                which, sign = axis[word]
                assert sign * moved[which] > 0, (joint, words, moved)


SLIDE = '<mujoco><worldbody><body><joint name="j" type="slide" axis="{axis}"/><geom size="0.1"/></body></worldbody></mujoco>'
HINGE = '<mujoco><worldbody><body><joint name="j" axis="{axis}"/><geom size="0.1" pos="{pos}"/></body></worldbody></mujoco>'


def test_slides_and_turns_on_the_spot():
    for xml, axis, pos, words in (
        (SLIDE, "0 0 -1", "", "slides down"),
        (HINGE, "1 0 0", "0 0 0", "rolls right"),
        (HINGE, "0 -1 0", "0 0 0", "tips backward"),
        (HINGE, "0 0 1", "0.5 0 0", "turns left"),
        (HINGE, "1 0 0", "0 0 -0.5", "left"),
    ):
        model = mujoco.MjModel.from_xml_string(xml.format(axis=axis, pos=pos))
        data = mujoco.MjData(model)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        assert joint_directions._direction(model, data, 0) == words


def test_a_vocabulary_tells_limits_directions_and_what_landmarks_mark(myolegs, layout):
    words = vocabulary(layout, joint_directions.directions(myolegs))
    assert "hip_flexion_r -30 to 120 forward, hip_adduction_r -50 to 30 left" in words and "in degrees (programs read rad)" in words
    assert "They mark: pelvis its middle, trunk the chest" in words and "toe the tip of the sole" in words and "hand the palm" not in words
    assert f"Planned joints, in order: {', '.join(layout.planned_joints)}." in vocabulary(layout)
