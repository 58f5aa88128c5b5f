import numpy as np
import pytest
from support.random_clip import RandomModel

from movlr_jax.critics.base import Evidence, settle
from movlr_jax.critics.clip_critic import ClipCritic
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts, Seen
from movlr_jax.vision import score
from movlr_jax.vision.clip_reward import ClipReward
from movlr_jax.vision.config import ClipConfig


def frames(seed: int, count: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


def test_the_curve_is_the_formula_over_the_frames_in_their_order() -> None:
    model, config = RandomModel(), ClipConfig(weights="random", goal="kneel", baseline="stand", alpha=0.4, last=0.5)
    eye = ClipReward(model, config, "something else")
    expected = score.goal_baseline(model.pictures(frames(1)), model.sentences(["kneel"]), model.sentences(["stand"]), 0.4)
    np.testing.assert_allclose(eye.curve(frames(1)), expected)
    facts = eye.facts([eye.curve(frames(1)), eye.curve(frames(2))])
    assert facts["curve"] == pytest.approx(expected, abs=1e-6)
    assert facts["scores"][0] == pytest.approx(expected[3:].mean(), abs=1e-6)
    assert facts["score"] == pytest.approx(np.mean(facts["scores"]), abs=1e-6)
    assert (facts["goal"], facts["baseline"]) == ("kneel", "stand")


def test_without_a_goal_of_its_own_it_looks_for_the_runs() -> None:
    assert ClipReward(RandomModel(), ClipConfig(weights="random"), "raise a knee").goal == "raise a knee"


def test_a_goal_that_is_the_baseline_is_refused_before_any_motion() -> None:
    with pytest.raises(MovlrError, match="same as its goal"):
        ClipReward(RandomModel(), ClipConfig(weights="random", baseline="kneel"), "kneel")


@pytest.mark.parametrize("change", [{"alpha": 2.0}, {"fps": 0.0}, {"last": 0.0}, {"gate": 1.5}, {"baseline": " "}])
def test_a_setting_that_cannot_be_is_one_sentence(change: dict) -> None:
    with pytest.raises(MovlrError, match=r"clip\."):
        ClipConfig(**change)


def test_the_critic_prefers_the_higher_score_in_either_order_and_ties_on_equal_ones() -> None:
    def evidence(value: float) -> Evidence:
        return Evidence(Facts(clip=Seen(score=value, goal="kneel")))

    assert settle(ClipCritic(), evidence(0.3), evidence(0.2)).winner == "a"
    assert settle(ClipCritic(), evidence(0.2), evidence(0.3)).winner == "b"
    assert settle(ClipCritic(), evidence(0.2), evidence(0.2)).winner == "tie"
