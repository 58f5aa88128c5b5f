"""Motion reads physical quantities from instants; rewards evaluate them, reweigh for nothing, and refuse what a body lacks."""

import jax
import mujoco
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.errors import MovlrError
from movlr_jax.physics.instant import Frame
from movlr_jax.rewards import program
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.reward import Reward, RewardBatch
from movlr_jax.rewards.vocabulary import vocabulary


def text(**terms):
    return program.write(dict.fromkeys(terms, 1.0), terms)


@pytest.fixture(scope="module")
def layout(myolegs):
    return feature_layout(myolegs)


@pytest.fixture(scope="module")
def tilted(myolegs, layout):
    """A body turned 0.3 rad left, leaning 0.2 rad forward and moving at 1 m/s along its start direction, seen in a turned frame."""
    body, model = myolegs, myolegs.model
    data = mujoco.MjData(model)
    data.qpos[:] = body.standing_qpos
    turn, lean, base = np.zeros(4), np.zeros(4), data.qpos[3:7].copy()
    heading = 0.5
    mujoco.mju_axisAngle2Quat(turn, [0, 0, 1], heading + 0.3)
    mujoco.mju_axisAngle2Quat(lean, [0, 1, 0], 0.2)
    mujoco.mju_mulQuat(data.qpos[3:7], lean, base)
    both = np.zeros(4)
    mujoco.mju_mulQuat(both, turn, data.qpos[3:7].copy())
    data.qpos[3:7] = both
    data.qpos[:2] += [2.0, 1.0]
    data.qvel[:3] = [np.cos(heading), np.sin(heading), 0.0]
    data.act[:] = 0.25
    data.ctrl[:] = 0.5
    mujoco.mj_forward(model, data)
    row = np.zeros(layout.size, np.float32)
    for name, value in (
        ("time", 1.5),
        ("dt", 0.02),
        ("qpos", data.qpos),
        ("qvel", data.qvel),
        ("act", data.act),
        ("ctrl", data.ctrl),
        ("force", -data.actuator_force),
        ("sensor", data.sensordata),
    ):
        row[layout.columns(name)] = value
    frame = Frame(origin=(2.0, 1.0), heading=heading, goal=(0.8, 0.1))
    row[layout.column("frame") : layout.blocks["goal"][1]] = frame.row()
    return data, row


def evaluate(layout, row, previous=None, **terms):
    reward = Reward.unguarded("test", text(**terms), layout)
    values = reward.terms(np.concatenate([row, row if previous is None else previous]))
    return dict(zip(reward.term_names, values.tolist(), strict=True))


def test_quantities_are_physical_and_in_the_task_frame(layout, tilted, myolegs):
    data, row = tilted
    got = evaluate(
        layout,
        row,
        time="m.time",
        yaw="m.pelvis.yaw",
        pitch="m.pelvis.pitch",
        roll="m.pelvis.roll",
        up="m.pelvis.up[2]",
        facing="m.pelvis.forward[0]",
        speed="m.pelvis.velocity[0]",
        sideways="m.pelvis.velocity[1]",
        head="m.head.height",
        com_speed="m.com.velocity_forward",
        ahead="m.head.position[0] - m.pelvis.position[0]",
        goal="m.goal.speed",
        heading_error="m.goal.heading_error",
        knee='m.joint("knee_angle_r").angle',
        knee_max='m.joint("knee_angle_r").upper',
        act="jnp.mean(m.muscles.activation)",
        excitation='jnp.mean(m.muscle_group("right_calf").excitation)',
        force="jnp.min(m.muscles.force)",
        standing="m.standing.head_height",
        planned="jnp.sum(jnp.ones_like(m.joints.angle))",
    )
    assert got["time"] == pytest.approx(1.5)
    assert got["yaw"] == pytest.approx(0.3, abs=0.01)
    assert got["up"] == pytest.approx(np.cos(0.2), abs=0.01)
    assert got["facing"] == pytest.approx(np.cos(0.3) * np.cos(0.2), abs=0.01)
    assert np.hypot(got["pitch"], got["roll"]) == pytest.approx(0.2, abs=0.01)
    assert got["pitch"] > 0
    apart = data.site("landmark/head").xpos - data.site("landmark/pelvis").xpos
    assert got["ahead"] == pytest.approx(apart[0] * np.cos(0.5) + apart[1] * np.sin(0.5), abs=1e-4)
    assert got["speed"] == pytest.approx(1.0, abs=1e-4) and got["sideways"] == pytest.approx(0.0, abs=1e-4)
    assert got["com_speed"] == pytest.approx(1.0, abs=1e-4)
    assert got["head"] == pytest.approx(data.site("landmark/head").xpos[2], abs=1e-4)
    assert got["goal"] == pytest.approx(0.8) and got["heading_error"] == pytest.approx(0.2, abs=0.01)
    assert got["knee"] == pytest.approx(data.joint("knee_angle_r").qpos[0], abs=1e-5)
    assert got["knee_max"] == pytest.approx(2.094, abs=1e-3)
    assert got["act"] == pytest.approx(0.25) and got["excitation"] == pytest.approx(0.5)
    assert got["force"] >= 0.0
    assert got["standing"] == pytest.approx(myolegs.standing_heights["head"], abs=1e-4)
    assert got["planned"] == 14


def test_previous_is_the_instant_before(layout, tilted):
    _, row = tilted
    before = row.copy()
    before[layout.columns("act")] = 0.15
    got = evaluate(layout, row, before, rate="jnp.mean(m.muscles.activation - m.previous.muscles.activation) / m.dt")
    assert got["rate"] == pytest.approx(0.1 / 0.02, rel=1e-4)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("m.left.hand.height", "has no landmark 'left.hand'"),
        ('m.joint("knee_angle").angle', "did you mean knee_angle"),
        ("m.standing.tail_height", "standing quantity 'tail_height'"),
        ("m.previous.previous.time", "previous.previous does not exist"),
        ('jnp.sum(m.muscle_group("wings").activation)', "no muscle group 'wings'"),
        ("m.joints.angle", "reduce it to a scalar"),
    ],
)
def test_what_a_body_lacks_is_refused_in_one_sentence(layout, expression, sentence):
    with pytest.raises(MovlrError, match=sentence):
        Reward.unguarded("test", text(term=expression), layout)


def test_a_changed_weight_compiles_nothing(layout, tilted):
    import jax

    _, row = tilted
    reward = Reward.unguarded("test", text(a="m.time", b="m.dt"), layout)
    instants = np.stack([row] * 5)[None, None]
    first = RewardBatch([reward]).mean_reward(instants)
    with jax.log_compiles(True):
        import logging

        records = []
        handler = logging.Handler()
        handler.emit = records.append
        logging.getLogger("jax").addHandler(handler)
        second = RewardBatch([reward.with_weights({"a": 2.0})]).mean_reward(instants)
        logging.getLogger("jax").removeHandler(handler)
    assert not [r for r in records if "Compiling" in r.getMessage()]
    assert second[0, 0] == pytest.approx(first[0, 0] + 1.5)


def test_a_batch_of_rewards_gives_each_episode_its_own(layout):
    rng = np.random.default_rng(1)
    instants = rng.normal(size=(4, 3, 6, layout.size)).astype(np.float32)
    one = Reward.unguarded("one", text(a="m.time", b="m.dt"), layout)
    other = Reward.unguarded("other", text(c="m.goal.speed"), layout)
    rewards = [one, other, one.with_weights({"b": -3.0}), other]
    batch = RewardBatch(rewards)
    got, means = map(np.asarray, batch.means(instants))
    assert np.array_equal(got, np.asarray(batch.mean_reward(instants))) and means.shape == (4, 3, 2)
    for e, reward in enumerate(rewards):
        terms, count = reward.terms_over_time(instants[e]), len(reward.term_names)
        assert np.allclose(got[e], (terms @ reward.weights).mean(axis=1), atol=1e-5)
        assert np.allclose(means[e, :, :count], terms.mean(axis=1), atol=1e-5) and not means[e, :, count:].any()
        assert np.array_equal(batch.weights[e, :count], reward.weights) and not batch.weights[e, count:].any()


def test_terms_over_time_are_the_same_where_the_cpu_is_not_the_default_device(layout, monkeypatch):
    made = Reward.unguarded("one", text(a="m.time - m.previous.time", b="m.dt"), layout)
    instants = np.random.default_rng(0).normal(size=(2, 5, layout.size)).astype(np.float32)
    usual = made.terms_over_time(instants)
    other = Reward.unguarded("one", text(a="m.time - m.previous.time", b="m.dt"), layout)
    with monkeypatch.context() as patch:
        patch.setattr(jax, "devices", lambda *_: ["an accelerator"])
        elsewhere = other._compiled.over_time_on_host
    assert np.array_equal(elsewhere(instants, np.zeros((2, 0), np.float32)), usual)


def test_terms_over_time_pairs_each_instant_with_the_one_before_it_in_its_own_world(layout):
    rng = np.random.default_rng(0)
    instants = rng.normal(size=(3, 6, layout.size)).astype(np.float32)
    reward = Reward.unguarded("test", text(now="m.time", step="m.time - m.previous.time"), layout)
    got = reward.terms_over_time(instants)
    time = instants[..., layout.column("time")]
    assert np.allclose(got[..., 0], time[:, 1:]) and np.allclose(got[..., 1], np.diff(time, axis=1), atol=1e-6)


def test_vocabulary_names_all_that_a_body_has(layout):
    words = vocabulary(layout)
    for word in (
        "m.left.foot",
        "knee_angle_r",
        "right_calf",
        "velocity_forward",
        "time_since_touchdown",
        "head_height",
        "(m/s)",
    ):
        assert word in words
    assert "left.hand" not in words


def test_layout_survives_json_and_tells_bodies_apart(layout):
    again = FeatureLayout.from_json(layout.to_json())
    assert again == layout and again.fingerprint() == layout.fingerprint()


@pytest.mark.parametrize("task", [name for name, task in tasks.TASKS.items() if not task.morphologies])
def test_every_task_reward_compiles_and_is_worse_lying_than_standing(layout, myolegs, simulator8, task):
    body = myolegs
    standing = simulator8.reset(body.standing_qpos, body.standing_act)
    frames = [tasks.get(task).frame(tasks.get(task).start(body, 0))]
    from movlr_jax.control import laws

    law = laws.make("fibre-strain", body, 0.008)
    z = body.posture.read(body.standing_qpos)[None, None]
    _, up, _ = simulator8.advance(standing, law, z, 1, frames)
    lying_qpos = body.standing_qpos.copy()
    lying_qpos[2] = 0.2
    mujoco.mju_mulQuat(lying_qpos[3:7], np.array([np.sqrt(0.5), 0, np.sqrt(0.5), 0]), body.standing_qpos[3:7])
    _, down, _ = simulator8.advance(simulator8.reset(lying_qpos, body.standing_act), law, z, 1, frames)
    for name, source in tasks.get(task).rewards.items():
        reward = Reward.unguarded(name, source, layout)
        standing_value, lying_value = (float(reward.terms(np.concatenate([r[0], r[0]])) @ reward.weights) for r in (up, down))
        assert np.isfinite([standing_value, lying_value]).all()
        if name != "start" or not tasks.get(task).walks:  # forward speed alone cannot tell
            assert standing_value > lying_value + 1.0


def test_the_same_text_gives_the_same_bytes_wherever_it_is_compiled(layout):
    def deeper():
        return Reward.unguarded("b", text(a="m.time"), layout)

    assert Reward.unguarded("a", text(a="m.time"), layout).artifact == deeper().artifact


def test_the_package_s_own_text_is_compiled_once(layout):
    source = tasks.get("stand").rewards["start"]
    once, again = (Reward.trusted("start", source, layout) for _ in range(2))
    assert once is again and once is not (other := Reward.unguarded("start", source, layout))
    assert once._compiled is other._compiled  # of equal artifacts, whoever made them
    other = FeatureLayout.from_json(layout.to_json())
    assert Reward.trusted("start", source, other)._compiled is once._compiled
