"""Changes of a motion do what they say, measured by the pipeline that measures every motion."""

import numpy as np
import pytest
from support import biped, led_walks

from movlr_jax import tasks
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import measures, motion_changes
from movlr_jax.morphologies import root
from movlr_jax.morphologies.mirror import Mirror, partner

TASK = tasks.get("walk_flat")


@pytest.fixture(scope="module")
def walk(myolegs):
    return led_walks.led(myolegs)


@pytest.fixture(scope="module")
def facts(myolegs, walk):
    """A function that measures a change of the walk."""
    return lambda rollout=walk: measures.described(TASK, myolegs, rollout)


def test_measured_again_it_is_the_same_motion(myolegs, walk, facts):
    again = motion_changes.again(myolegs, TASK, walk)
    np.testing.assert_allclose(again.instants, walk.instants, atol=1e-5)
    assert again.ended == "time" and again.term_names == () and again.terms.shape == (len(walk.time), 0)
    assert facts(again).metrics.distance_m == pytest.approx(facts().metrics.distance_m)


def test_the_mirror_image_changes_sides_and_nothing_else(myolegs, walk, facts):
    image = motion_changes.mirrored(myolegs, TASK, walk)
    own, seen = facts(), facts(image)
    assert seen.metrics.distance_m == pytest.approx(own.metrics.distance_m, abs=1e-4)
    assert (seen.gait.left_steps, seen.gait.right_steps) == (own.gait.right_steps, own.gait.left_steps)
    mirror = Mirror(myolegs)
    np.testing.assert_allclose(mirror.qpos(image.qpos), walk.qpos, atol=1e-9)
    np.testing.assert_allclose(mirror.qvel(image.qvel), walk.qvel, atol=1e-9)
    rng = np.random.default_rng(0)
    act = rng.uniform(size=(2, myolegs.model.na))
    assert (mirror.muscles(mirror.muscles(act)) == act).all() and (mirror.muscles(act) != act).any()


def test_half_the_pace_is_half_the_speed_and_twice_ends_in_half_the_time(myolegs, walk, facts):
    slow, fast = facts(motion_changes.paced(myolegs, TASK, walk, 0.5)), facts(motion_changes.paced(myolegs, TASK, walk, 2.0))
    whole = facts().metrics.distance_m
    assert slow.metrics.distance_m == pytest.approx(0.5 * whole, rel=0.02) and slow.seconds == walk.seconds
    assert fast.metrics.distance_m == pytest.approx(whole, rel=0.02) and fast.seconds == walk.seconds / 2


def test_backward_goes_the_way_back(myolegs, walk, facts):
    assert facts(motion_changes.backward(myolegs, TASK, walk)).metrics.distance_m == pytest.approx(-facts().metrics.distance_m, abs=1e-4)


@pytest.mark.parametrize("angle", [0.7, -0.7])
def test_a_turned_motion_leads_off_the_way_as_fast_as_before(myolegs, walk, facts, angle):
    turned = facts(motion_changes.turned(myolegs, TASK, walk, angle))
    own = facts().metrics.distance_m
    assert turned.metrics.distance_m == pytest.approx(own * np.cos(angle), abs=0.02)
    assert turned.metrics.lateral_drift_m == pytest.approx(abs(own * np.sin(angle)), abs=0.02)
    assert np.sign(turned.phases[-1].lateral_m) == np.sign(angle)
    assert turned.smoothness.jerk == pytest.approx(facts().smoothness.jerk, rel=1e-3)  # physics looks alike in every direction


def test_a_limp_keeps_poses_way_and_time_and_is_uneven(myolegs, walk, facts):
    limps, own = motion_changes.limping(myolegs, TASK, walk, "left"), facts()
    seen = facts(limps)
    assert seen.metrics.distance_m == pytest.approx(own.metrics.distance_m, abs=0.01) and len(limps.time) == len(walk.time)
    assert own.gait.step_time_symmetry > 0.9 and seen.gait.step_time_symmetry < 0.7
    nearest = np.abs(walk.qpos[None, :, 7:] - limps.qpos[::10, None, 7:]).max(-1).min(1)
    assert nearest.max() < 0.1  # every pose lies between two of the recording


def test_a_limp_needs_steps(myolegs, walk):
    with pytest.raises(MovlrError, match="of which no limp can be made"):
        motion_changes.limping(myolegs, TASK, motion_changes.shortened(walk, 0.8), "left")


def test_the_first_part_is_the_recording_itself(walk):
    half, until = motion_changes.shortened(walk, 1.6), motion_changes.shortened(walk, 1.6, 1.6)
    assert len(half.time) == 80 and (half.instants == walk.instants[:80]).all()
    assert (half.seconds, until.seconds, half.ended) == (walk.seconds, 1.6, "time")


def test_a_fall_stays_one_and_ends_where_it_did(myolegs):
    fall = led_walks.led(myolegs, falls_from=1.2, seconds=2.4)
    again = motion_changes.again(myolegs, TASK, fall)
    assert fall.ended == again.ended == "fell" and len(again.time) == len(fall.time) < 120


def test_partners_are_found_by_the_words_of_sides():
    names = ["hip_l", "hip_r", "left.foot", "right.foot", "L5_S1", "pelvis", "knee_angle_r_translation1", "knee_angle_l_translation1"]
    assert [partner(name, names) for name in names] == [names[i] for i in (1, 0, 3, 2, 4, 5, 7, 6)]


def test_a_small_biped_has_a_mirror_image_and_an_uneven_one_has_none():
    body = biped.load()
    Mirror(body)
    body.model.body_mass[body.model.body("foot_l").id] *= 2.0
    with pytest.raises(MovlrError, match=r"foot_. does not weigh what the other side's does"):
        Mirror(body)


def test_a_chain_of_hinges_turns_as_a_free_root_does():
    import mujoco

    axes = "".join(f'<joint type="{kind}" axis="{axis}"/>' for kind in ("slide", "hinge") for axis in ("1 0 0", "0 1 0", "0 0 1"))
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><worldbody><body name="b" pos="0 0 1">{axes}<geom type="box" size="0.1 0.2 0.3"/></body></worldbody></mujoco>'
    )
    rng = np.random.default_rng(1)
    qpos, qvel = rng.uniform(-0.5, 0.5, 6), rng.normal(size=6)
    made, velocity = root.turned(model, 1, qpos, qvel, 0.9, np.array([0.3, -0.2]))
    before, after = (mujoco.MjData(model) for _ in range(2))
    for data, pose in ((before, qpos), (after, made)):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
    c, s = np.cos(0.9), np.sin(0.9)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    np.testing.assert_allclose(after.xmat[1].reshape(3, 3), turn @ before.xmat[1].reshape(3, 3), atol=1e-7)
    np.testing.assert_allclose(after.xpos[1] - [0.3, -0.2, 0], turn @ (before.xpos[1] - [0.3, -0.2, 0]), atol=1e-7)
    assert np.linalg.norm(velocity[:3]) == pytest.approx(np.linalg.norm(qvel[:3]))
    planar = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body name="b"><joint type="slide" axis="1 0 0"/><joint axis="0 1 0"/>'
        '<geom size="0.1"/></body></worldbody></mujoco>'
    )
    with pytest.raises(MovlrError, match="moves in one plane"):
        root.turned(planar, 1, np.zeros(2), np.zeros(2), 0.5, np.zeros(2))
