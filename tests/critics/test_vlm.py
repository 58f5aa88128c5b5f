"""The critic that watches: what it shows and asks, and what it makes of the answers."""

from __future__ import annotations

import pytest
from support.critic_records import WALK

from movlr_jax.critics.attachments import Show
from movlr_jax.critics.base import Background, Evidence, settle
from movlr_jax.critics.critique import Critique, Suggestion
from movlr_jax.critics.vlm import VlmCritic
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.llm.base import Image, Video
from movlr_jax.llm.recorder import Recorder
from movlr_jax.prompts import prompt

TERMS = {name: {"weight": weight, "mean": 0.0, "std": 0.1} for name, weight in (("head_height", 100.0), ("forward_speed", 10.5))}
RECORD = {**WALK, "terms": TERMS}
FACTS = Facts.read(RECORD)
FAULT = {"what": "It sways.", "body_part": "trunk", "severity": 0.4}
CRITIQUE = {
    "success": False,
    "summary": "Slow,\x1b[2J and \u202eswaying.",
    "faults": [{**FAULT, "kind": "shuffle", "stage": "coordination"}, {**FAULT, "kind": "sway", "stage": "stability"}],
    "suggestions": [{"action": "add", "term": f"t{i}", "words": "Be still."} for i in range(5)],
}


def test_the_request_says_what_it_should_and_shows_the_clip(scripted, small_clip):
    model = scripted(CRITIQUE)
    judged = VlmCritic(model).critique(small_clip, FACTS)
    (ask,), words = model.asks, model.words()
    assert ask.purpose == "critique" and ask.prompt == prompt.load("critique").label and ask.temperature == 0.0
    for wanted in (
        WALK["goal"],
        "- head_height: 100\n- forward_speed: 10.5",
        "speed 0.8 m/s",
        "fell no",
        "knee flexion (left 0.9 rad",
        "<video>",
    ):
        assert wanted in words, wanted
    assert "8 frames for each second" in words and "muscle" in words.lower() and "fall_backward (falls backward)" in words
    assert [p.frames_per_second for p in ask.parts if isinstance(p, Video)] == [8.0]
    # What comes back is put in order, bounded, and fit for a terminal.
    assert [f.kind for f in judged.faults] == ["sway", "shuffle"] and len(judged.suggestions) == 3
    assert judged.summary == "Slow,[2J and swaying."


@pytest.mark.parametrize(
    ("show", "seen", "measured"),
    [
        (Show(clip="video", fps=12.0), "<video>", True),
        (Show(clip="frames", frames=4), "<image>" * 4, True),
        (Show(clip="frames", frames=1, facts=False), "<image>", False),
        (Show(clip="nothing"), "", True),
    ],
)
def test_what_is_shown_is_a_choice(scripted, small_clip, show, seen, measured):
    model = scripted(CRITIQUE)
    VlmCritic(model, show).critique(small_clip, FACTS)
    words = model.words()
    assert words.count("<video>") + words.count("<image>") == seen.count("<") and seen in words
    assert ("mean speed 0.8 m/s" in words) == measured
    assert ("judge from" in words) == (not measured or show.clip == "nothing")


def test_the_program_its_edit_and_the_judgement_before_are_told(scripted):
    earlier = Critique(success=False, summary="It falls.", suggestions=(Suggestion(action="remove", term="hop", words="Do not hop."),))
    background = Background("WEIGHTS = {}\n# ```\n", "remove hop", "It hops.", earlier)
    model = scripted(CRITIQUE)
    VlmCritic(model, Show(clip="nothing")).watch(Evidence(FACTS, background=background))
    words = model.words()
    for wanted in (
        "````python\nWEIGHTS = {}\n# ```\n````",
        "The last edit made it: remove hop\nThe writer's reason: It hops.",
        "before that edit:\nThe goal is not reached. It falls.\nSuggestion 1, remove hop: Do not hop.",
        "it stays up for the whole 4 s, in every episode, goes forward at 0.8 m/s (0.72 to 1.2; under 0.2 it has not moved)",
        "Suggest 1 to 3 changes. Small changes",
    ):
        assert wanted in words, wanted
    assert "- head_height: 100" not in words


FALLEN = Facts.read({**RECORD, "metrics": {**WALK["metrics"], "fell": True}})


@pytest.mark.parametrize(("facts", "start", "count"), [(FACTS, False, 3), (FALLEN, False, 4), (FALLEN, True, 6), (FACTS, True, 6)])
def test_a_critic_may_suggest_as_much_as_may_change(scripted, facts, start, count):
    many = {**CRITIQUE, "suggestions": [{"action": "add", "term": f"t{i}", "words": "Be still."} for i in range(9)]}
    model = scripted(many)
    judged = VlmCritic(model, Show(clip="nothing")).watch(Evidence(facts, background=Background(start=start)))
    assert len(judged.suggestions) == count and f"Suggest 1 to {count} changes." in model.words()


def test_a_comparison_shows_both_with_their_facts(scripted, small_clip):
    model = scripted({"winner": "b", "reason": "It walks."})
    slow = Facts.read({**RECORD, "metrics": {**WALK["metrics"], "mean_speed_mps": 0.111}})
    answer = VlmCritic(model, Show(clip="frames", frames=2)).compare(Evidence(slow, small_clip, "a"), Evidence(FACTS, small_clip, "b"))
    assert answer.winner == "b"
    first, second = model.words().split("Motion B")
    assert "0.111 m/s" in first and "0.111 m/s" not in second and "mean speed 0.8 m/s" in second
    assert first.count("<image>") == second.count("<image>") == 2
    assert sum(isinstance(p, Image) for p in model.asks[0].parts) == 4


def test_a_critic_that_prefers_a_position_ties(scripted, small_clip):
    for always in ("a", "b", "tie"):
        model = scripted({"winner": always, "reason": "The first is nicer."})
        found = settle(VlmCritic(model), Evidence(FACTS, small_clip), Evidence(FACTS, small_clip))
        assert found.winner == "tie" and len(model.asks) == 2


def test_a_hand_is_told_as_a_hand(scripted, small_clip):
    held = {
        "position_error_m": {"start": 0.14, "mean": 0.1, "min": 0.02, "final": 0.021},
        "orientation_error_rad": {"start": 0.9, "mean": 0.5, "min": 0.2, "final": 0.3},
        "lifted_m": 0.1,
        "speed_mps": 0.2,
        "palm_distance_m": 0.05,
        "finger_distance_m": {"thumb": 0.04},
        "dropped": None,
    }
    facts = {**RECORD, "goal_speed_mps": None, "object": held, "posture": {}, "gait": {}, "phases": []}
    episodes = [{"seed": seed, "dropped": seed == 1, "position_error_m": 0.02} for seed in (0, 1)]
    model = scripted(CRITIQUE)
    VlmCritic(model).critique(small_clip, Facts.read({**facts, "episodes": episodes}))
    words = model.words()
    assert "The camera looks at the hand" in words and "from its right side" not in words
    assert "object: position error (start 0.14 m, mean 0.1 m, min 0.02 m, final 0.021 m), orientation error (start 0.9 rad," in words
    assert "palm distance 0.05 m, finger distance (thumb 0.04 m), dropped none" in words
    assert "asked for: 4 s" in words and "fall:" not in words
    assert "mean of 2 episodes; each of them:\n  seed 0: dropped no, position error 0.02 m\n  seed 1: dropped yes" in words


def test_a_missing_clip_is_told(scripted, tmp_path):
    model = scripted(CRITIQUE)
    for clip in (None, tmp_path / "none.mp4"):
        with pytest.raises(MovlrError, match="no clip to show"):
            VlmCritic(model).critique(clip, FACTS)
    assert not model.asks
    assert VlmCritic(model, Show(clip="nothing")).critique(None, FACTS).faults


def test_every_call_is_recorded_also_those_that_were_of_no_use(scripted, small_clip):
    model = Recorder(scripted("no JSON", CRITIQUE))
    VlmCritic(model).critique(small_clip, FACTS)
    assert [record["response"][:7] for record in model.take()] == ["no JSON", '{"succe']
    assert model.take() == ()
    assert model.model.asks[1].exchange[0][0] == "no JSON"


def test_shows_that_show_nothing_are_refused():
    for values, sentence in (
        ({"clip": "nothing", "facts": False}, "Neither"),
        ({"frames": 0}, "show.frames"),
        ({"fps": 30.0}, "show.fps"),
        ({"width": 13}, "show.width"),
    ):
        with pytest.raises(MovlrError, match=sentence):
            Show(**values)
