"""Programs that write over old results: what the compiled program says of its memory, what is kept, and the same numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding

from movlr_jax.control import laws
from movlr_jax.physics import engines
from movlr_jax.physics.instant import Frame, rows
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.physics.recycling import Recycling


def made(kept, calls):
    def program(x):
        calls.append(x.shape)
        return jnp.cumsum(x), x.sum() > 0.0

    def shapes(x):
        return jax.ShapeDtypeStruct(x.shape, x.dtype), jax.ShapeDtypeStruct((), jnp.bool_)

    return Recycling(program, shapes, kept, SingleDeviceSharding(jax.devices()[0]))


@pytest.mark.parametrize("kept", [0, 2])
def test_results_are_the_program_s_and_as_many_as_are_kept_stay_readable(kept):
    calls = []
    recycling = made(kept, calls)
    results = []
    for k in range(6):
        results.append(recycling(jnp.arange(4.0) + k))
        for age, (sums, positive) in enumerate(reversed(results)):
            if age > kept:
                assert sums.is_deleted() and positive.is_deleted()
            else:
                assert np.array_equal(sums, np.cumsum(np.arange(4.0) + k - age)) and bool(positive)
    assert len(calls) == 1  # traced once, the first call too


def test_every_result_of_the_physics_lies_over_an_old_one(myolegs):
    pytest.importorskip("warp", reason="warp-lang is not installed")
    simulator = engines.make("warp", myolegs, candidates=2, plan_dt=0.008, steps=2, mjx=MjxConfig(contacts=64, constraints=120))
    assert not simulator.recycles  # on a CPU
    simulator.recycles = True
    law = laws.make("auto", myolegs, 0.008)
    state = simulator.reset(myolegs.standing_qpos, myolegs.standing_act)
    posture = simulator.put(myolegs.posture.read(myolegs.standing_qpos)[None, None, None])
    frames = simulator.put(rows([Frame()]))
    for program, postures in ((simulator.roll(law, 2), jnp.repeat(posture, 2, axis=1)), (simulator._advance(law, 2), posture[:, 0])):
        shapes = program._shapes(state, postures, frames)
        traced = program.compiled.trace(shapes, state, postures, frames)
        assert jax.tree.map(lambda x: (x.shape, x.dtype), traced.out_info) == jax.tree.map(lambda x: (x.shape, x.dtype), shapes)
        text = traced.lower().as_text()
        donated = text.count("tf.aliasing_output") + text.count("jax.buffer_donor")
        assert donated >= len(jax.tree.leaves(shapes)), donated
