"""Of several seeds critics see the worst and the best, are told which is which, and compare two motions by the same seeds."""

from __future__ import annotations

import itertools
import re
import shutil

import pytest
from support.critic_records import fall, walk

from movlr_jax.critics import facts_text
from movlr_jax.critics.attachments import MOST_PICTURES, Shot, Show
from movlr_jax.critics.base import Evidence, shared_seeds
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.critics.vlm import VlmCritic
from movlr_jax.facts import Facts
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.llm.base import Image, Video
from movlr_jax.llm.gateway import Gateway
from movlr_jax.runs.config import RunConfig

JUDGED = {"success": False, "summary": "It falls.", "faults": [], "suggestions": []}
PREFERRED = {"winner": "a", "reason": "It walks."}


def motion(*falls: int, seeds: int = 3, best: int | None = None, metric: float = 3.2) -> Facts:
    """Return the facts of a motion that falls under some of its seeds; of those that stand, `best` is."""
    episodes = [
        {"seed": s, "seconds": 1.5 if s in falls else 4.0, "fell": s in falls, "fall_time_s": 1.5 if s in falls else None}
        for s in range(seeds)
    ]
    metrics = {"fell": len(falls) / seeds, "distance_m": metric, "diverged": 0.0}
    alone = [Facts.read((fall if s in falls else walk)(episodes=[episodes[s]])) for s in range(seeds)]
    whole = Facts.read({**alone[0].to_json(), "metrics": metrics, "episodes": episodes})
    return whole.with_extremes([(s, told, (-float(s in falls), float(s == best))) for s, told in enumerate(alone)])


def evidence(facts: Facts, clip, tmp_path, filmed: tuple[int, ...] | None = None) -> Evidence:
    clips = {}
    for seed in facts.seeds if filmed is None else filmed:
        clips[seed] = shutil.copy(clip, tmp_path / f"clip_{seed}.mp4")
    return Evidence(facts, clips.get(0), "iteration 7", clips)


def test_facts_tell_which_is_which_and_outlive_their_file():
    facts = motion(1, best=2)
    assert facts.worst == 1 and facts.seeds == (0, 1, 2) and facts.fall is None and facts.of(1).fall is not None
    assert [facts.caption(s) for s in range(3)] == ["seed 0", "seed 1, the worst of 3", "seed 2, the best of 3"]
    again = Facts.read(facts.to_json())
    assert again == facts and again.to_json() == facts.to_json()
    # Of equal episodes none is the worst, and of one nothing is told that was not told before.
    assert motion().extremes == [] and motion().seeds == (0,)
    single = motion(seeds=1)
    assert single.seed is None and not {"seed", "extremes"} & set(single.to_json())
    assert facts_text.facts(single).count("seed") == 0


def test_the_fall_of_a_seed_that_is_not_the_first_is_told():
    words = facts_text.facts(motion(1, best=2))
    worst, best = words.index("The worst of the episodes, seed 1, in detail:"), words.index("The best of the episodes, seed 2, in detail:")
    assert "seed 1 (the worst): " in words[:worst] and "seed 2 (the best): " in words[:worst] and "\n  seed 0: " in words[:worst]
    assert "fall: time 1.5 s, direction forward" in words[worst:best] and "fall: none" in words[best:]
    assert words.count("fall: ") == 2 and words.count("metrics: ") == 1
    compared = facts_text.facts(motion(1, best=2), seeds=(0, 1))
    assert "The episode of seed 0 in detail:" in compared and "worst" not in compared and "best" not in compared


def test_the_critic_without_eyes_judges_the_worst(tmp_path):
    feedback = Feedback(RunConfig(), Gateway(tmp_path))
    judged = feedback.critique(Evidence(motion(1, best=2)))
    assert judged["faults"][0]["kind"] == "fall_forward" and "at 1.50 s" in judged["faults"][0]["what"]
    assert OfflineCritic().critique(None, motion(1, best=2)).faults[0].what.startswith("The body falls in 33% of the episodes")


@pytest.mark.parametrize("show", [Show(), Show(clip="frames", frames=6)])
def test_the_critic_that_watches_sees_both(scripted, small_clip, tmp_path, show):
    model = scripted(JUDGED)
    VlmCritic(model, show).watch(evidence(motion(1, best=2), small_clip, tmp_path))
    words = model.words()
    kind = "image" if show.clip == "frames" else "video"
    assert re.search(f"The worst of the episodes, seed 1:\n(<{kind}>)+\n+The best of the episodes, seed 2:\n(<{kind}>)+", words)
    assert "seed 1 (the worst)" in words and "iteration 7" not in words
    assert [p.path.name for p in model.asks[0].parts if isinstance(p, Video)] == (["clip_1.mp4", "clip_2.mp4"] if kind == "video" else [])


def test_where_only_the_first_could_be_filmed_it_is_shown_as_what_it_is(scripted, small_clip, tmp_path):
    model = scripted(JUDGED)
    VlmCritic(model).watch(evidence(motion(1, best=2), small_clip, tmp_path, filmed=(0,)))
    assert "The episode of seed 0:\n<video>" in model.words() and model.words().count("<video>") == 1


def test_two_motions_are_compared_by_the_same_seeds(scripted, small_clip, tmp_path):
    model = scripted(PREFERRED)
    a, b = (evidence(motion(n, best=3 - n), small_clip, tmp_path) for n in (1, 2))
    assert shared_seeds(a, b, filmed=True) == (1, 2)
    VlmCritic(model).compare(a, b)
    first, second = model.words().split("Motion B")
    for side in (first, second):
        assert side.index("The episode of seed 1:\n<video>") < side.index("The episode of seed 2:\n<video>")
        assert "the worst" not in side and "iteration 7" not in side
    rates = [p.frames_per_second for p in model.asks[0].parts if isinstance(p, Video)]
    lengths = [1.5, 4.0, 4.0, 1.5]
    assert len(set(rates)) == 1 and sum(rates[0] * s for s in lengths) <= MOST_PICTURES


def test_where_no_seed_was_filmed_on_both_sides_that_is_told_on_both_counts():
    # Of this version against an earlier one, which filmed and told the first seed alone.
    new, old = motion(1, best=2), Facts.read(walk()).model_copy(update={"seed": 0})
    assert shared_seeds(Evidence(new, clips={0: None, 1: None}), Evidence(old, clips={0: None}), filmed=True) == (0,)
    assert shared_seeds(Evidence(new), Evidence(Facts.read(walk())), filmed=False) == ()
    assert shared_seeds(Evidence(new), Evidence(new), filmed=True) == (0, 1)


def test_a_comparison_has_a_bounded_number_of_pictures_and_none_where_physics_decides(scripted, small_clip, tmp_path):
    model = scripted(PREFERRED)
    critic = VlmCritic(model, Show(clip="frames", frames=64))
    a, b = evidence(motion(1, best=2), small_clip, tmp_path), evidence(motion(1, best=2, metric=3.3), small_clip, tmp_path)
    critic.compare(a, b)
    assert 4 <= sum(isinstance(p, Image) for p in model.asks[-1].parts) <= MOST_PICTURES
    critic.compare(a, evidence(motion(1, 2, best=0), small_clip, tmp_path))
    assert not any(isinstance(p, Image | Video) for p in model.asks[-1].parts) and "No picture" in model.words()


def test_pictures_are_close_before_a_fall_and_the_first_is_the_start():
    facts = Facts.read(fall(time_s=3.0, seconds=10.0))
    times = Shot(None, facts).moments(12)
    assert times[0] == 0.0 and len(times) == 11 and max(times) <= 2.92
    assert sum(t >= 2.0 for t in times) == 5 and all(b > a for a, b in itertools.pairwise(times))
    calm = Shot(None, Facts.read(walk())).moments(5)
    assert calm == (0.0, 1.0, 2.0, 3.0)
    assert Shot(None, Facts()).moments(5) == ()
