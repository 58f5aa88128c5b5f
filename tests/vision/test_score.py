import numpy as np
import pytest
from support.random_clip import RandomModel

from movlr_jax.errors import MovlrError
from movlr_jax.vision import score


@pytest.fixture
def vectors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    model = RandomModel(3)
    frames = np.random.default_rng(4).integers(0, 256, (5, 2, 2, 3), dtype=np.uint8)
    return model.pictures(frames), model.sentences(["kneel", "on its knees"]), model.sentences(["a human"])


def test_without_a_baseline_the_reward_is_the_cosine(vectors: tuple[np.ndarray, ...]) -> None:
    x, g, b = vectors
    goal = score.unit(score.unit(g).mean(axis=0))
    np.testing.assert_allclose(score.goal_baseline(x, g, b, 0.0), score.unit(x) @ goal, atol=1e-12)
    np.testing.assert_allclose(score.goal_baseline(x, g, b[:0], 0.0), score.unit(x) @ goal, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.7, 1.0])
def test_the_reward_is_the_papers_formula_with_its_projection_written_out(vectors: tuple[np.ndarray, ...], alpha: float) -> None:
    x, g, b = vectors
    goal, base = score.unit(score.unit(g).mean(axis=0)), score.unit(score.unit(b).mean(axis=0))
    d = (goal - base)[:, None]
    projection = alpha * d @ d.T / (d.T @ d).item() + (1.0 - alpha) * np.eye(len(d))
    expected = [1.0 - 0.5 * np.linalg.norm(projection @ (picture - goal)) ** 2 for picture in score.unit(x)]
    np.testing.assert_allclose(score.goal_baseline(x, g, b, alpha), expected, atol=1e-12)


def test_with_a_full_baseline_only_the_line_from_baseline_to_goal_counts(vectors: tuple[np.ndarray, ...]) -> None:
    _, g, b = vectors
    goal = score.unit(score.unit(g).mean(axis=0))
    assert score.goal_baseline(goal[None], g, b, 1.0)[0] == pytest.approx(1.0)
    # The baseline itself is |g - b|^2 / 2 worse than the goal.
    expected = 1.0 - 0.5 * np.sum((score.unit(b)[0] - goal) ** 2)
    assert score.goal_baseline(b, g, b, 1.0)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alpha": 1.5}, "give 0"),
        ({"alpha": 0.5, "baselines": np.zeros((0, 7))}, "no baseline sentence"),
        ({"alpha": 0.5, "baselines": None}, "says the same as its goal"),
        ({"alpha": 0.0, "pictures": np.zeros((1, 7))}, "damaged"),
    ],
)
def test_what_cannot_be_scored_is_told_in_a_sentence(vectors: tuple[np.ndarray, ...], change: dict, said: str) -> None:
    x, g, b = vectors
    asked = {"pictures": x, "goals": g, "baselines": b, "alpha": 0.0} | change
    if asked["baselines"] is None:
        asked["baselines"] = g
    with pytest.raises(MovlrError, match=said):
        score.goal_baseline(**asked)


def test_an_episode_is_the_mean_of_its_last_share() -> None:
    curve = np.array([0.0, 0.0, 0.2, 0.4])
    assert score.episode(curve) == pytest.approx(0.15)
    assert score.episode(curve, 0.5) == pytest.approx(0.3)
    assert score.episode(curve, 0.01) == pytest.approx(0.4)
