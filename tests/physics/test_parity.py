"""The parity audit passes on the embedded body, and sees an engine that is wrong."""

import numpy as np
import pytest

from movlr_jax.physics import mjx_model, parity

pytest.importorskip("warp", reason="warp-lang is not installed")


@pytest.fixture(scope="module")
def walk(myolegs):
    """States around the standing start with the excitations that hold it, moved a little: what a walk passes through."""
    rng = np.random.default_rng(0)
    count, model, space = 16, myolegs.model, myolegs.posture
    posture = space.read(myolegs.standing_qpos) + 0.003 * rng.normal(size=(count, space.size)) * space.range
    act = np.clip(myolegs.standing_act + 0.1 * rng.random((count, model.na)), 0, 1)
    qvel = 0.02 * rng.normal(size=(count, model.nv))
    return parity.Walk(space.complete(posture, myolegs.standing_qpos), qvel, act, np.repeat(act[None], parity.STEPS, axis=0))


def test_warp_is_within_tolerance_and_a_wrong_model_is_not(myolegs, walk, monkeypatch):
    lines = parity.audit(myolegs, "warp", walk)
    assert all(line.fine for line in lines), [line for line in lines if not line.fine]
    assert {line.unit for line in lines} >= {"m", "rad", "of peak", "times"}
    # The engine gets a body whose hamstrings are longer by 2 % than C's.
    sound = mjx_model.LengthMap.__call__

    def longer(self, qpos):
        length, moment = sound(self, qpos)
        return length.at[:, 10].multiply(1.02), moment

    monkeypatch.setattr(mjx_model.LengthMap, "__call__", longer)
    off = parity._kinematics(myolegs, myolegs.model, "warp")[0]
    assert not off.fine and off.where == myolegs.muscles.names[10]


def test_what_preparation_changes_is_measured_on_c(myolegs, walk):
    assert all(line.largest == 0.0 for line in parity.effect(myolegs, "jax", walk))  # nothing is changed in this body
