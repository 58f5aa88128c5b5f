"""The method vlm-rm, whole: MyoLegs moves, an encoder looks at its pictures, the tuner moves the weights."""

import dataclasses
import json

import pytest
from support.random_clip import RandomModel

from movlr_jax import searches
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.feedback import judging
from movlr_jax.runs import methods, race_config
from movlr_jax.searches import RunConfig, real_stages
from movlr_jax.tasks import gates
from movlr_jax.vision.config import ClipConfig

PLANNER = MPPI(candidates=8, elites=2, instant=2, horizon=0.08)
CONFIG = RunConfig(
    task="free",
    goal="Raise the left knee.",
    method="vlm-rm",
    start_reward="pose",
    iterations=2,
    seconds=0.1,
    planner=PLANNER,
    clip=ClipConfig(weights="random", fps=20.0, alpha=0.5),
)


@pytest.mark.gl
def test_clip_scores_the_pictures_and_the_weights_are_tuned(tmp_path, monkeypatch):
    monkeypatch.setattr(real_stages, "TransformersEncoder", lambda weights: RandomModel())
    folder = tmp_path / "run"
    result = searches.run(dataclasses.replace(CONFIG, out=folder, race=race_config.OFF))  # further seeds would be scored too
    assert [row.iteration for row in result.rows] == [0, 1, 2]
    sources = [(folder / "iterations" / f"{k:03d}" / "reward.py").read_text() for k in range(3)]
    assert len({s.split("def terms")[0] for s in sources}) == 3  # other weights,
    assert len({s.split("def terms")[1] for s in sources}) == 1  # the same terms
    for k, row in enumerate(result.rows):
        place = folder / "iterations" / f"{k:03d}"
        seen = json.loads((place / "facts.json").read_text())["clip"]
        assert row.score == pytest.approx(seen["score"]) == pytest.approx(row.metrics.number("clip_score"), abs=1e-6)
        assert len(seen["curve"]) == 3 and seen["goal"] == "Raise the left knee."
        assert f"{seen['score']:.4f}" in json.loads((place / "decision.json").read_text())["reason"] or k == 0
    kept = [row.score for row in result.rows if row.kept]
    assert kept == sorted(kept) and result.score == max(row.score for row in result.rows)


def test_the_method_names_its_own_critic_and_writer_and_what_it_lacks():
    settled = methods.settled(dataclasses.replace(CONFIG, start_reward="start"))
    assert (settled.critic, settled.writer, settled.start_reward) == ("clip", "tuner", "human")
    assert methods.settled(settled) == settled
    with pytest.raises(MovlrError, match=r"--clip\.weights"):
        methods.settled(dataclasses.replace(CONFIG, clip=ClipConfig()))
    with pytest.raises(MovlrError, match=r"--clip\.weights"):
        methods.settled(RunConfig(critic="clip"))
    with pytest.raises(MovlrError, match="leave out --critic"):
        methods.settled(dataclasses.replace(CONFIG, writer="random"))


def test_a_motion_that_does_not_look_like_the_goal_is_worse_but_better_than_a_fall():
    def record(**said: bool) -> dict:
        return {
            "gates": {"fell": False, "diverged": False, **said},
            "falls": int(said.get("fell", False)),
            "episodes": [{}],
            "score": 0.0,
        }

    looks, other, fallen = (gates.read(record(**said)) for said in ({"looks": True}, {"looks": False}, {"looks": True, "fell": True}))
    assert gates.rank(looks) > gates.rank(other) > gates.rank(fallen)
    decision = judging.gates_decide(other, looks)
    assert decision is not None and not decision.kept and "looking like the goal" in decision.reason
