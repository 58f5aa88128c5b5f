"""An instant is packed alike by whoever packs it: an engine's first one is that of the body at rest, and both namespaces agree."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.physics.held import Held
from movlr_jax.physics.instant import Instants
from movlr_jax.physics.native import NativeSimulator


@pytest.mark.parametrize("task", ["walk_flat", "walk_rough"])
def test_the_first_instant_of_an_engine_is_that_of_the_body_at_rest(task: str) -> None:
    body = tasks.get(task).load()
    simulator = NativeSimulator(body, candidates=1, threads=1)
    start = tasks.get(task).start(body, 3)
    frame = tasks.get(task).frame(start)
    state = simulator.reset(start.qpos, start.act)
    _, instant, _ = simulator.advance(state, Held(), start.act[None, None], 5, [frame])
    packed = Instants(body)
    rest = packed.at_rest(start.qpos, start.act, frame.row(), 5 * simulator.sim_dt)
    for name, columns in packed.columns.items():
        if name != "gait":  # which an engine has updated by the instant already
            np.testing.assert_allclose(instant[0, columns], rest[columns], rtol=1e-5, atol=1e-4, err_msg=name)
    assert np.abs(rest[packed.columns["ground"]]).max() > 0.001 or task == "walk_flat"
    np.testing.assert_array_equal(rest[packed.columns["gait"]].reshape(2, 8)[:, 0], 1.0)


def test_both_namespaces_pack_alike(myolegs, rng) -> None:  # type: ignore[no-untyped-def]
    packed = Instants(myolegs)
    values = {name: rng.normal(size=(3, columns.stop - columns.start)).astype(np.float32) for name, columns in packed.columns.items()}
    shuffled = dict(sorted(values.items()))  # the order of the blocks is the layout's, whatever order they are given in
    written = packed.pack(shuffled, np.full((3, packed.size), np.nan, np.float32))
    joined = packed.pack({name: jnp.asarray(value) for name, value in shuffled.items()}, xp=jnp)
    np.testing.assert_array_equal(written, joined)
    assert np.isfinite(written).all()
