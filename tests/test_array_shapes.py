"""While tests run, arrays are held to the shapes that annotations state; a wrong one is told where it is handed over."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from movlr_jax.control.laws import base as laws
from movlr_jax.gait.trajectory import thirds
from movlr_jax.morphologies.terrain import Flat
from movlr_jax.physics import gait
from movlr_jax.rewards.reward import Reward
from movlr_jax.vision import score


@pytest.mark.parametrize(
    "call",
    [
        lambda: gait.initial(np.zeros((5, 2))),
        lambda: Flat().height(np.zeros((4, 3))),
        lambda: laws.by_joint(np.zeros((2, 3, 4)), np.zeros(4)),
        lambda: Reward.terms_over_time(None, np.zeros(7)),
        lambda: thirds(np.zeros((3, 3))),
        lambda: score.episode(np.zeros((2, 2))),
        lambda: score.unit(np.zeros(3, int)),
    ],
)
def test_an_array_of_another_shape_is_refused(call):
    with pytest.raises(TypeCheckError):
        call()
