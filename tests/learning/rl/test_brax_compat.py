"""What of Brax needs a stand-in, against the versions that are pinned."""

from __future__ import annotations

import importlib.util

import jax
import numpy as np
import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl import brax_compat

pytest.importorskip("brax", reason="brax is not installed")


def test_brax_puts_a_training_state_on_its_devices():
    brax = brax_compat.parts()
    put = brax.pmap.bcast_local_devices({"a": np.arange(3.0), "n": np.int32(2)}, 1)
    assert put["a"].shape == (1, 3) and put["n"].shape == (1,) and put["a"].dtype == np.float32
    assert np.array_equal(put["a"][0], [0.0, 1.0, 2.0]) and put["a"].sharding.device_set == {jax.local_devices()[0]}


def test_without_brax_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MovlrError, match=r"pip install 'movlr-jax\[rl\]'"):
        brax_compat.parts.__wrapped__()


def test_a_truncation_is_no_end_of_the_motion():
    """GAE of four steps by hand: step 1 ends its episode, step 2 only runs out of time."""
    losses = brax_compat.parts().losses
    reward, value, last = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, 1.5, 2.0]), 2.5
    gamma, lam = 0.9, 0.8
    targets, advantages = losses.compute_gae(
        truncation=np.array([[0.0], [0.0], [1.0], [0.0]]),
        termination=np.array([[0.0], [1.0], [0.0], [0.0]]),
        rewards=reward[:, None],
        values=value[:, None],
        bootstrap_value=np.array([last]),
        lambda_=lam,
        discount=gamma,
    )
    delta3 = reward[3] + gamma * last - value[3]
    delta1 = reward[1] - value[1]  # nothing follows
    delta0 = reward[0] + gamma * value[1] - value[0]
    # Step 2's successor is the start of another episode, so the step teaches nothing: its target is its own value.
    want = [value[0] + delta0 + gamma * lam * delta1, value[1] + delta1, value[2], value[3] + delta3]
    assert np.allclose(targets[:, 0], want, atol=1e-5)
    assert np.allclose(advantages[:, 0], [reward[0] + gamma * want[1] - value[0], delta1, 0.0, delta3], atol=1e-5)
