"""The native engine: instants, divergence, gait memory."""

import mujoco
import numpy as np
import pytest

from movlr_jax.control import laws
from movlr_jax.errors import MovlrError
from movlr_jax.physics import engines, gait
from movlr_jax.physics.instant import Frame
from movlr_jax.physics.native import NativeSimulator


@pytest.fixture
def law(myolegs):
    return laws.make("fibre-strain", myolegs, 0.008)


def postures(body, count):
    return np.repeat(body.posture.read(body.standing_qpos)[None, None], count, axis=0)


def test_an_instant_belongs_to_one_state(myolegs, simulator8, law):
    """qpos, qvel, act before the step; sensordata and forces of that very state."""
    body = myolegs
    state = simulator8.reset(body.standing_qpos, body.standing_act)
    rolled = simulator8.rollout(state, law, postures(body, 8)[None], 6, [Frame(goal=(0.8, 0.0))])
    c = {k: slice(*v) for k, v in simulator8.columns.items()}
    row = rolled.instants[0, 2, 5]
    data = mujoco.MjData(simulator8._rollouts.batch.model)
    data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] = (row[c[k]] for k in ("qpos", "qvel", "act", "ctrl"))
    mujoco.mj_forward(simulator8._rollouts.batch.model, data)
    touch = [body.sensors[f"touch/{s}"] for s in ("left", "right")]
    smooth = np.ones(body.model.nsensordata, bool)
    for a, n in touch:
        smooth[a : a + n] = False  # contact forces amplify float32 rounding
    assert np.abs(row[c["sensor"]] - data.sensordata)[smooth].max() < 1e-4
    assert np.abs(row[c["force"]] + data.actuator_force).max() < 0.5
    assert row[c["time"]][0] == pytest.approx(0.032)
    assert row[c["dt"]][0] == pytest.approx(0.008)
    assert row[c["goal"]][0] == pytest.approx(0.8)
    assert np.array_equal(rolled.instants[:, :, 0], rolled.instants[:, :, 1])


def test_an_injected_nan_costs_its_world_alone(myolegs, law, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body = myolegs
    simulator = NativeSimulator(body, candidates=4, plan_dt=0.008, threads=2)
    state = simulator.reset(body.standing_qpos, body.standing_act)
    clean = simulator.rollout(state, law, postures(body, 4)[None], 8, [Frame()]).instants.copy()

    class Poisoned:
        every_step = False
        calls = 0

        def targets(self, *args):
            return law.targets(*args)

        def excitation(self, targets, qpos, act, length):
            self.calls += 1
            if self.calls == 4:
                simulator._rollouts.qvel[1] = np.nan
                simulator._rollouts.qpos[2] = 1e12
            return law.excitation(targets, qpos, act, length)

    rolled = simulator.rollout(state, Poisoned(), postures(body, 4)[None], 8, [Frame()])
    assert list(rolled.diverged[0]) == [False, True, True, False]
    assert np.array_equal(rolled.instants[0, [0, 3]], clean[0, [0, 3]])
    assert not list(tmp_path.iterdir())  # no MUJOCO_LOG.TXT
    assert not simulator.rollout(state, law, postures(body, 4)[None], 8, [Frame()]).diverged.any()


def test_advancing_carries_the_whole_state(myolegs, simulator8, law):
    """Two advances of 5 equal one of 10: nothing (activation, warm start, gait memory) is lost between calls."""
    body = myolegs
    start = simulator8.reset(body.standing_qpos, body.standing_act)
    z = postures(body, 1)
    whole, _, _ = simulator8.advance(start, law, z, 10, [Frame()])
    half, _, _ = simulator8.advance(start, law, z, 5, [Frame()])
    parts, _, diverged = simulator8.advance(half, law, z, 5, [Frame()])
    assert not diverged.any()
    for name, value in vars(whole).items():
        if name != "peak_force":
            assert np.allclose(value, vars(parts)[name], atol=0 if name != "gait" else 1e-12), name


def test_gait_memory_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    load = np.where(rng.random((3, 60, 2)) < 0.5, 0.0, rng.choice([0.03, 0.5], (3, 60, 2)))
    position = rng.normal(size=(3, 60, 2, 3))
    start = gait.initial(position[:, 0])
    forward = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0]])  # each world's own
    got = gait.over_time(start, load, position, forward, 0.01)
    for w in range(3):
        contact, since_down, since_off = [True, True], [0.0, 0.0], [0.0, 0.0]
        place, length = [start[w, s, 4:7] for s in range(2)], [0.0, 0.0]
        for k in range(60):
            for s in range(2):
                now = load[w, k, s] > (gait.LOAD_OFF if contact[s] else gait.LOAD_ON)
                since_down[s], since_off[s] = since_down[s] + 0.01, since_off[s] + 0.01
                if now and not contact[s]:
                    since_down[s], place[s] = 0.0, position[w, k, s]
                    length[s] = (position[w, k, s] - position[w, k, 1 - s])[:2] @ forward[w]
                if contact[s] and not now:
                    since_off[s] = 0.0
                contact[s] = now
                want = [now, load[w, k, s], since_down[s], since_off[s], *place[s], length[s]]
                assert np.allclose(got[w, k, s], want, atol=1e-9)
    # In two halves, the memory handed over is enough.
    first = gait.over_time(start, load[:, :25], position[:, :25], forward, 0.01)
    second = gait.over_time(first[:, -1], load[:, 25:], position[:, 25:], forward, 0.01)
    assert np.allclose(np.concatenate([first, second], axis=1), got)


def test_target_kinematics_equal_c(myolegs, simulator8):
    body, space = myolegs, myolegs.posture
    rng = np.random.default_rng(1)
    qpos = space.complete(rng.uniform(space.lower, space.upper, (8, space.size)), body.standing_qpos)
    length, arms = simulator8.target_kinematics(qpos)
    data = mujoco.MjData(body.model)
    for w in range(8):
        data.qpos[:] = qpos[w]
        mujoco.mj_fwdPosition(body.model, data)
        dense = np.zeros((body.model.nu, body.model.nv))
        mujoco.mju_sparse2dense(dense, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
        assert np.array_equal(length[w], data.actuator_length)
        assert np.array_equal(arms[w], dense)


def test_engine_choice_is_explained_and_unknown_engines_are_refused():
    assert engines.choose("auto")[0] == "native"
    with pytest.raises(MovlrError, match="There is no engine 'gpu'"):
        engines.choose("gpu")
