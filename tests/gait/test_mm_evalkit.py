"""The archive for mm-evalkit: its layout, and, where that package is installed, its own reader."""

import dataclasses

import numpy as np
import pytest
from support.striding import STRIDE_S, people, striding

from movlr_jax.errors import MovlrError
from movlr_jax.gait import mm_evalkit
from movlr_jax.gait.strides import contacts
from movlr_jax.gait.trajectory import Trajectory


@pytest.fixture(scope="module")
def walked(layout):
    trajectory = Trajectory(striding(layout, people(layout)), layout)
    return trajectory, {side: contacts(trajectory, side) for side in ("left", "right")}


def test_columns_are_those_of_its_body(walked, layout, tmp_path):
    with np.load(mm_evalkit.export(tmp_path / "walk.npz", [walked, walked])) as archive:
        names = archive["joint_names"].tolist()
        assert int(archive["n_episodes"]) == 2 and float(archive["dt"]) == 0.01 and str(archive["activation_sample_phase"]) == "pre_step"
        positions, touch = archive["episode_1_joint_positions"], archive["episode_1_touch_observations"]
        assert positions.shape == (len(touch), len(names) + 6) and archive["episode_1_muscle_activations"].shape == (len(touch), 354)
        assert len(touch) == int(archive["episode_1_traj_length"])
        # Every second row is a recorded one.
        knee = positions[::2, names.index("knee_angle_r") + 6]
        assert knee == pytest.approx(walked[0].joint("knee_angle_r")[: len(knee)], abs=1e-4)
        landed = np.flatnonzero(np.diff(touch[:, 0]) > 0)
        assert np.diff(landed) * 0.01 == pytest.approx(STRIDE_S, abs=0.011)
        assert "elbow_flex_r" in archive["absent_joints"] and "soleus_r" not in archive["absent_muscles"]


def test_another_body_is_refused(walked, layout):
    trajectory, stances = walked
    other = Trajectory(trajectory.instants, dataclasses.replace(layout, anatomy={}))
    with pytest.raises(MovlrError, match="has no hip_flexion_l"):
        mm_evalkit.archive([(other, stances)])
    other = Trajectory(trajectory.instants, dataclasses.replace(layout, muscles=tuple("x" + name for name in layout.muscles)))
    with pytest.raises(MovlrError, match="has no muscle vaslat_r"):
        mm_evalkit.archive([(other, stances)])


def test_its_own_reader_finds_the_strides(walked, tmp_path):
    pytest.importorskip("mm_evalkit")
    from mm_evalkit.workflows.gait.loading import build_channels
    from mm_evalkit.workflows.gait.policy_data import extract_trajectory_data

    path = mm_evalkit.export(tmp_path / "walk.npz", [walked])
    found = extract_trajectory_data(build_channels("Gait120"), path, subject_based=False)
    knee = found.profiles.avg_joint_gaits[build_channels("Gait120").joint_names.index("knee_angle_r")]
    assert len(found.all_gait_lengths) >= 3 and knee.max() == pytest.approx(57.5, abs=1.5)
