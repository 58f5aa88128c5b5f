"""The writer that is a language model: what it is told, and what becomes of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.iteration_records import attempt

from movlr_jax.control.planners import MPPI
from movlr_jax.critics.attachments import Show
from movlr_jax.critics.critique import Critique, Fault, Suggestion
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts, Measures
from movlr_jax.llm.base import Answer, ModelFault
from movlr_jax.prompts import prompt
from movlr_jax.writers.base import Elite, FailedAttempt, WriteRequest
from movlr_jax.writers.llm import LlmWriter

BEST = 'WEIGHTS = {"head_height": 100.0}\n\n\ndef terms(m):\n    return {"head_height": m.head.height}\n'
NEXT = BEST.replace("100.0}", '100.0, "speed": 5.0}').replace("height}", 'height, "speed": m.com.velocity_forward}')
ANSWER = f"EDIT: add speed 5\nWHY: It stands still.\n```python\n{NEXT}```\n"
CRITIQUE = Critique(
    success=False,
    summary="It stands still.",
    faults=(Fault(kind="not_moving", what="It does not move.", body_part="whole body", severity=0.9, stage="progress"),),
    suggestions=(Suggestion(action="add", term="speed", weight=5.0, words="Reward forward speed.", addresses="not_moving"),),
)
REQUEST = WriteRequest(
    goal="Walk, and pay $5.",
    vocabulary="m.head: The head.",
    best_source=BEST,
    best_weights={"head_height": 100.0},
    critique=CRITIQUE,
    history=(
        attempt(True, outcome="score 0.50"),
        attempt(edit="add hop 3", iteration=1, outcome="score 1.00, 1 of 1 fell at 0.40 s", warnings=["It ranks low."]),
        attempt(iteration=2, outcome="refused: Line 3: while is not allowed", refused=True),
    ),
    facts=Facts.read(
        {
            "goal_speed_mps": 0.8,
            "seconds": 4.0,
            "metrics": {"distance_m": 0.25},
            "episodes": [],
            "gait": {"steps": 7},
            "terms": {"head_height": {"weight": 100.0, "mean": 1.5, "std": 0.1, "min": 1.0, "max": 1.6, "share_of_spread": 1.0}},
        }
    ),
    seed=2**62,
)


def test_the_request_holds_all_that_is_known(scripted):
    model = scripted(ANSWER)
    draft = LlmWriter(model).write(REQUEST)
    assert (draft.source, draft.edit, draft.rationale, draft.refusal) == (NEXT, "add speed 5", "It stands still.", "")
    (ask,), words = model.asks, model.words()
    assert ask.purpose == "write" and ask.prompt == prompt.load("write").label and ask.schema is None and ask.seed < 2**31
    for wanted in (
        "Walk, and pay $5.",
        "m.head: The head.",
        BEST,
        "head_height: weight 100, mean 1.5, std 0.1, min 1, max 1.6, share 100 %",
        "Fault 1, not_moving (progress, whole body, throughout, severity 0.9): It does not move.",
        "Suggestion 1, add speed, weight 5: Reward forward speed. (against not_moving)",
        "iteration 0: the reward of the start: score 0.50; kept as best.",
        "iteration 1: add hop 3: score 1.00, 1 of 1 fell at 0.40 s; not kept. Warning: It ranks low.",
        "iteration 2: no program: refused: Line 3: while is not allowed",
        "Not allowed: while",
        "smooth_abs(x, width=0.1)",
        "Nothing was refused so far.",
    ):
        assert wanted in words, wanted
    assert "distance" not in words and "steps 7" not in words and "<video>" not in words and "advises" not in words


def test_it_is_shown_the_elites_and_may_build_on_them(scripted):
    far = Elite(("farthest",), 3, NEXT, "score 40.00, 2.00 m", 40.0, Facts.read({"seconds": 4.0, "metrics": {"effort": 0.02}}), 0.5)
    request = replace(REQUEST, best=2, programs={2: BEST, 3: NEXT}, elites=(far,))
    model = scripted(f"BUILDS ON: iteration 3\n{ANSWER.replace('5.0}', '6.0}')}")
    draft = LlmWriter(model).write(request)
    words = model.words()
    assert draft.builds_on == 3 and "does one thing better than any other program of this search" in words
    assert "Iteration 3 gets on farthest: score 40.00, 2.00 m; effort 0.020, coordination faults 0.50." in words and NEXT.strip() in words
    LlmWriter(model := scripted(ANSWER), "metrics").write(request)
    assert "Iteration 3 gets on farthest: score 40.00, 2.00 m; effort 0.020" in model.words()
    LlmWriter(model := scripted(ANSWER)).write(REQUEST)
    assert "None beside the best yet." in model.words()


def test_each_way_of_seeing_shows_that_and_no_more(scripted, small_clip):
    request = replace(REQUEST, clip=small_clip)
    told = {}
    for sees in ("critique", "metrics", "motion"):
        model = scripted(ANSWER)
        LlmWriter(model, sees).write(request)
        words = model.words()
        told[sees] = ("Fault 1" in words, "distance 0.25 m" in words, "steps 7" in words, "<video>" in words)
    assert told == {"critique": (True, False, False, False), "metrics": (False, True, False, False), "motion": (False, True, True, True)}
    model = scripted(ANSWER)
    LlmWriter(model, "motion", Show(clip="frames", frames=2, facts=False)).write(request)
    assert model.words().count("<image>") == 2 and "steps 7" not in model.words()
    with pytest.raises(MovlrError, match="no clip"):
        LlmWriter(model, "motion").write(REQUEST)


def test_candidates_differ_on_purpose(scripted):
    model = scripted(ANSWER)
    for k in range(3):
        LlmWriter(model).write(replace(REQUEST, candidate=k, candidates=3, seed=k, siblings=(NEXT,) if k else ()))
    first, second, third = (model.words(k) for k in range(3))
    assert [a.temperature for a in model.asks] == [0.0, 0.9, 0.9] and len({a.seed for a in model.asks}) == 3
    assert "another idea" not in first.lower() and "program 2 of 3" in second and "program 3 of 3" in third
    assert '+    return {"head_height": m.head.height, "speed": m.com.velocity_forward}' in second


def test_a_refusal_comes_back_with_the_refused_text(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, attempt=1, refusal="while is not allowed (line 3)", refused_source="while True:\n    ```\n"))
    assert "Your last answer was refused: while is not allowed (line 3)" in model.words()
    assert "````\nwhile True:\n    ```\n````" in model.words()


def test_a_persons_advice_is_told(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, advice="Bend the left knee."))
    assert "<advice>Bend the left knee.</advice>" in model.words()


@pytest.mark.parametrize(
    ("answer", "sentence", "kept"),
    [
        ("I would add speed.", "no block of code", "I would add speed."),
        (Answer("```python\nWEIGHTS = {", complete=False), "cut off", "```python\nWEIGHTS = {"),
        ("x" * 300_000, "300000 characters", "characters more)"),
        ("```python\nx\n```\ud800", "half a character", "?"),
        (ModelFault("The filter took it.", "blocked"), "The filter took it.", ""),
        (ModelFault("Three answers were no use.", "unusable"), "no use", ""),
    ],
)
def test_an_answer_without_a_program_is_a_refusal(scripted, answer, sentence, kept):
    draft = LlmWriter(scripted(answer)).write(REQUEST)
    assert sentence in draft.refusal and kept in draft.source and len(draft.source) < 25_000
    draft.source.encode()


def test_a_model_that_cannot_be_asked_stops_the_run(scripted):
    with pytest.raises(ModelFault, match="no answer"):
        LlmWriter(scripted(ModelFault("There is no answer after 5 tries.", "unreachable"))).write(REQUEST)


def test_an_edit_that_is_not_named_is_read_from_the_weights(scripted):
    assert LlmWriter(scripted(f"```python\n{NEXT}```")).write(REQUEST).edit == "add speed 5"
    declared = [f'PARAMETERS = {{"period": ({value}, 0.8, 1.3)}}\n' for value in (1.0, 1.1)]
    request = replace(REQUEST, best_source=declared[0] + BEST)
    assert LlmWriter(scripted(f"```python\n{declared[1]}{BEST}```")).write(request).edit == "parameter period 1.0 -> 1.1"
    assert LlmWriter(scripted(f"```python\n{declared[1]}{NEXT}```")).write(REQUEST).edit == "add speed 5, parameter period added 1.1"


HOP = NEXT.replace("speed", "hop")
FAILED = (
    FailedAttempt(
        attempt(edit="add hop 3", iteration=1, outcome="score 1.00, 1 of 1 fell at 0.40 s", score=1.0, warnings=["It ranks low."]),
        base=0,
        base_source=BEST,
        source=HOP,
        ending="Physics decides: this one is the worse by falls.",
        base_score=2.5,
        base_facts=REQUEST.facts,
        facts=Facts.read(
            {
                "metrics": {"distance_m": 0.9, "seed": 3, "fell": True},
                "fall": {"time_s": 0.4, "direction": "forward", "first_sign": "trunk_pitch", "first_sign_s": 0.2},
                "terms": {
                    "head_height": {"weight": 100.0, "mean": 1.0, "std": 0.1, "share_of_spread": 0.04},
                    "hop": {"weight": 3.0, "mean": 1.0, "std": 5.0, "share_of_spread": 0.96},
                },
            }
        ),
        critique=CRITIQUE,
    ),
    FailedAttempt(
        attempt(iteration=2, candidate=1, edit="loop", outcome="refused: Line 3: while is not allowed", refused=True, builds_on=1),
        base=1,
        base_source=HOP,
        source=HOP + "\n# loop\n",
    ),
)
REMINDED = replace(REQUEST, failed=FAILED, best=0, programs={0: BEST, 1: HOP}, history=[REQUEST.history[0], *(f.attempt for f in FAILED)])


def test_what_failed_is_told_with_its_difference_its_motion_and_its_end(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(REMINDED)
    words = model.words()
    first, second = words.split("What failed,")[1].split("What you may build on: ")[0].split("\n\n")[:2]
    for wanted in (
        "Iteration 1, built on the best: add hop 3",
        "score 1.00, 1 of 1 fell at 0.40 s (2.50 under the program it was built on). Physics decides: this one is the worse by falls.",
        "Critique: It stands still. Worst: It does not move.",
        "fell forward at 0.40 s, first sign trunk_pitch at 0.20 s; distance 0.9 m (0.25 before); "
        "hop carries 96% of the reward's spread over time.",
        "Warning: It ranks low.",
        '+WEIGHTS = {"head_height": 100.0, "hop": 5.0}',
    ):
        assert wanted in first, wanted
    assert "Iteration 2, program 2, built on iteration 1: loop" in second and "while is not allowed" in second and "+# loop" in second
    assert "What you may build on: best, which is iteration 0; or an iteration of 1." in words
    assert words.count("add hop 3") == 1, "what is told at length is not told twice"


def test_measurements_of_what_failed_are_for_writers_that_are_told_them(scripted, small_clip):
    for show, told in ((Show(), True), (Show(facts=False), False)):
        model = scripted(ANSWER)
        LlmWriter(model, "motion", show).write(replace(REMINDED, clip=small_clip))
        assert ("fell forward at 0.40 s" in model.words()) is told


@pytest.mark.parametrize(
    ("line", "base", "edit"), [("best", 0, "add speed 5"), ("1", 1, "add speed 5, remove hop"), ("iteration 0", 0, "add speed 5")]
)
def test_a_draft_says_what_it_builds_on(scripted, line, base, edit):
    draft = LlmWriter(scripted(f"BUILDS ON: {line}\n```python\n{NEXT}```")).write(REMINDED)
    assert (draft.builds_on, draft.refusal) == (base, "") and edit in draft.edit


def test_a_base_that_is_unknown_is_a_refusal_that_lists_those_there_are(scripted):
    draft = LlmWriter(scripted(f"BUILDS ON: 7\n{ANSWER}")).write(REMINDED)
    assert draft.refusal == "The line BUILDS ON names iteration 7, which has no program here: " + (
        "write `BUILDS ON: best`, or one of the iterations 1."
    )


def test_every_refusal_of_a_candidate_is_told(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, attempt=2, refusal="No lambda.", earlier_refusals=["No while."], refused_source="x"))
    assert "refused: No lambda.\nThe answer before that was refused: No while." in model.words()


def test_how_much_may_change_follows_the_stage(scripted):
    fallen = REQUEST.facts.model_copy(update={"metrics": Measures({"fell": True, "distance_m": 3.2})})
    walks = REQUEST.facts.model_copy(update={"metrics": Measures({"distance_m": 3.2})})
    for facts, best, wanted in (
        (fallen, 0, "How much you may change: all of it."),
        (fallen, 2, "up to 4 terms at once"),
        (REQUEST.facts, 2, "up to 4 terms at once"),  # it stands still
        (walks, 2, "one or 2 terms"),
    ):
        model = scripted(ANSWER)
        LlmWriter(model).write(replace(REQUEST, facts=facts, best=best))
        assert wanted in model.words() and model.words().count("How much you may change") == 1


def test_programs_of_a_round_are_told_what_the_others_try(scripted):
    model = scripted(ANSWER)
    LlmWriter(model).write(replace(REQUEST, candidates=2))
    LlmWriter(model).write(replace(REQUEST, candidate=1, candidates=2, sibling_edits=("add speed 5",)))
    assert "program 1 of 2 for the same request" in model.words(0)
    assert "What the others of this round try:\nProgram 1: add speed 5\nIn full:\n(none of them is proven yet)" in model.words(1)


def test_the_planner_is_told_and_examples_are_for_bodies_with_feet(scripted):
    model = scripted(ANSWER)
    planning = MPPI(horizon=0.3, replan=0.04).for_walking(True).words()
    LlmWriter(model).write(replace(REQUEST, planning=planning))
    LlmWriter(model).write(replace(REQUEST, vocabulary="A landmark L (m.head, m.left.foot, m.right.foot) has:"))
    assert "looks 0.3 s ahead in 38 steps of 8 ms" in model.words(0) and "plans anew every 0.04 s" in model.words(0)
    assert "but for a value that tells of falls" in model.words(0)
    assert MPPI().for_walking(False).words().endswith("it does not see.")
    assert "extrapolated centre of mass" not in model.words(0) and "extrapolated centre of mass" in model.words(1)
