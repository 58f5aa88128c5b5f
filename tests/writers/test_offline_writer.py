"""The offline writer reacts to the motion at hand, makes small edits, and learns from what was tried."""

from __future__ import annotations

import pytest
from support.iteration_records import attempt

from movlr_jax.critics.critique import Critique, Fault, Suggestion
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.rewards import program
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.writers.base import Attempt, Draft, FailedAttempt, Writer, WriteRequest
from movlr_jax.writers.offline_writer import OfflineWriter
from movlr_jax.writers.random_writer import RandomWriter

START = program.write({"forward_speed": 10.0}, {"forward_speed": LIBRARY["forward_speed"].expression})
GOAL = "Walk forward in a straight line with an upright posture."
WRITER = OfflineWriter()


def facts(**changes):
    """A 4 s walk as the critic reads it; `changes` overrides whole entries."""
    told = {
        "goal": GOAL,
        "task": "walk_flat",
        "goal_speed_mps": 0.8,
        "seconds": 4.0,
        "metrics": {"distance_m": 3.2, "lateral_drift_m": 0.0, "heading_error_rad": 0.0, "mean_speed_mps": 0.8, "fell": False},
        "episodes": [],
        "posture": {},
        "gait": {"steps": 8, "mean_step_length_m": 0.4, "mean_swing_clearance_m": 0.05},
        "smoothness": {},
        "effort": {},
        "fall": None,
        "phases": [],
        "terms": {},
    }
    return told | changes


def falling(direction, time_s=1.2):
    fall = {"time_s": time_s, "direction": direction, "first_sign": "trunk_roll_rad", "first_sign_s": 0.8, "lean_m": 0.5}
    return facts(fall=fall, metrics={"distance_m": 0.4, "fell": True, "fall_time_s": time_s, "lateral_drift_m": 0.0})


def ask(told, source=START, **more):
    weights = program.literal_weights(source)
    measured = Facts.read(told | {"terms": {n: {"weight": w, "mean": 0.0, "std": 1.0} for n, w in weights.items()}})
    critique = OfflineCritic().critique(None, measured)
    return WriteRequest(GOAL, "", source, weights, critique, facts=measured, **more)


def changed(before, draft: Draft) -> set[str]:
    """Terms whose weight or presence differs."""
    old, new = program.literal_weights(before), program.literal_weights(draft.source)
    return {n for n in old.keys() | new.keys() if old.get(n) != new.get(n)}


def test_writers_are_writers():
    assert isinstance(WRITER, Writer)
    assert isinstance(RandomWriter(), Writer)


def test_the_same_source_with_two_motions_gives_two_edits():
    motions = {
        "falls forward": falling("forward"),
        "falls to the left": falling("left"),
        "too slow": facts(metrics={"distance_m": 1.2, "lateral_drift_m": 0.0, "heading_error_rad": 0.0}),
        "drifts": facts(metrics={"distance_m": 3.2, "lateral_drift_m": 1.5, "heading_error_rad": 0.0}),
        "turns": facts(metrics={"distance_m": 3.2, "lateral_drift_m": 0.0, "heading_error_rad": 0.7}),
        "crosses its feet": facts(
            gait={"steps": 8, "mean_step_length_m": 0.4, "mean_swing_clearance_m": 0.05, "crossed_feet_fraction": 0.3}
        ),
    }
    written = {name: WRITER.write(ask(told)).edit for name, told in motions.items()}
    assert len(set(written.values())) == len(written), written


def test_an_edit_changes_at_most_two_terms_and_only_the_unstable_get_two():
    for told, most in ((falling("forward"), 2), (facts(metrics={"distance_m": 1.0, "lateral_drift_m": 1.0}), 1)):
        for candidate in range(8):
            draft = WRITER.write(ask(told, candidate=candidate, candidates=8))
            assert 1 <= len(changed(START, draft)) <= most
    for seed in range(20):
        assert 1 <= len(changed(START, RandomWriter().write(ask(falling("forward"), seed=seed)))) <= 2


def test_a_fall_brings_the_published_stability_terms_within_two_edits():
    source, told = START, falling("forward")
    for iteration in range(2):
        source = WRITER.write(ask(told, source, iteration=iteration)).source
    assert {"head_height", "balance", "upright"} <= set(program.literal_weights(source))


def test_candidates_differ_and_are_repeatable():
    drafts = [WRITER.write(ask(falling("forward"), candidate=k, candidates=6)) for k in range(6)]
    assert len({d.edit for d in drafts}) == 6
    assert len({d.source for d in drafts}) == 6
    assert [WRITER.write(ask(falling("forward"), candidate=k, candidates=6)) for k in range(6)] == drafts


def test_what_failed_is_not_repeated():
    history, told = [], falling("forward")
    for iteration in range(60):
        draft = WRITER.write(ask(told, history=tuple(history), iteration=iteration))
        assert draft.edit not in {h.edit for h in history}
        history.append(attempt(edit=draft.edit, outcome="fell earlier"))


def test_a_term_that_failed_waits():
    told = falling("forward")
    first = WRITER.write(ask(told))
    failed = [attempt(edit=first.edit, outcome="worse")]
    second = WRITER.write(ask(told, history=failed))
    assert changed(START, first) != changed(START, second)
    # After a success the earlier failure is forgiven, though not repeated.
    forgiven = [*failed, attempt(True, "add posture 2.5", outcome="better")]
    assert WRITER.write(ask(told, history=forgiven)).edit != first.edit


def test_a_term_that_failed_alone_comes_back_lighter():
    request = ask(facts(goal="Squat.", goal_speed_mps=0.0))
    fault = Fault(kind="squat_too_high", what="High.", body_part="pelvis", phase="end", severity=0.8, stage="progress")
    asked = Suggestion(action="add", term="squat_depth", words="Go down.", addresses="squat_too_high")
    critique = Critique(success=False, summary="", faults=(fault,), suggestions=(asked,))
    tried: list[Attempt] = []
    for weight in ("100", "50", "25"):
        draft = WRITER.write(WriteRequest("Squat.", "", START, request.best_weights, critique=critique, history=tried))
        assert draft.edit == f"add squat_depth {weight}"
        tried.append(attempt(edit=draft.edit))


def _failures(*distances: float, **turned) -> tuple[FailedAttempt, ...]:
    """Iterations 1, 2, ... that were not kept: walks of some distances, turned aside, as their critic saw them."""
    out = []
    for number, distance in enumerate(distances, 1):
        metrics = {"distance_m": distance, "lateral_drift_m": 0.0, "heading_error_rad": 0.9, "fell": False, **turned}
        seen = ask(facts(metrics=metrics, posture={"heading_rad": {"mean": 0.9, "max": 1.0, "at_s": 2.0}}))
        record = attempt(edit=f"add term_{number} 1", iteration=number, builds_on=0, chosen=True)
        out.append(FailedAttempt(record, 0, START, START, facts=seen.facts, critique=seen.critique))
    return tuple(out)


def stagnant(failed: tuple[FailedAttempt, ...]) -> WriteRequest:
    """Iteration 0 goes 1.6 m, straight ahead, and is the best."""
    programs = {0: START} | {f.attempt.iteration: START.replace("10.0", f"1{f.attempt.iteration}.0") for f in failed}
    told = facts(metrics={"distance_m": 1.6, "lateral_drift_m": 0.0, "heading_error_rad": 0.0, "fell": False})
    return ask(told, history=[f.attempt for f in failed], failed=failed, best=0, programs=programs)


def test_where_the_best_stagnates_an_attempt_that_got_on_farther_is_mended():
    draft = WRITER.write(stagnant(_failures(2.2, 2.8)))
    assert draft.builds_on == 2 and "heading" in draft.edit and '"forward_speed": 12.0' in draft.source
    assert draft.rationale.startswith("From iteration 2, which got on farther")


@pytest.mark.parametrize("failed", [_failures(2.8), _failures(1.6, 1.5), _failures(2.2, 2.8, 2.9), _failures(2.2, 2.8, fell=True)])
def test_else_the_best_is_edited(failed):
    draft = WRITER.write(stagnant(failed))
    assert draft.builds_on is None and draft.edit == "reweigh forward_speed to 20" and "From iteration" not in draft.rationale


def test_a_refusal_brings_another_edit():
    told = falling("forward")
    edits = [WRITER.write(ask(told)).edit]
    for count in (1, 2, 3):
        edits.append(WRITER.write(ask(told, refusal="Line 3: no such landmark.", attempt=count)).edit)
    assert len(set(edits)) == 4
    # The retry of one candidate is none of the others' first drafts.
    three = {WRITER.write(ask(told, candidate=k, candidates=3)).edit for k in range(3)}
    assert WRITER.write(ask(told, candidate=1, candidates=3, refusal="no")).edit not in three


def test_seeds_order_what_is_left_when_the_critique_is_silent():
    drafts = {WRITER.write(ask(facts(), seed=seed)).edit for seed in range(12)}
    assert len(drafts) > 4
    assert WRITER.write(ask(facts(), seed=3)) == WRITER.write(ask(facts(), seed=3))


def test_every_draft_compiles(layout):
    source = START
    for iteration in range(12):
        told = falling("left") if iteration % 2 else facts(metrics={"distance_m": 1.0, "lateral_drift_m": 1.0, "heading_error_rad": 0.5})
        source = WRITER.write(ask(told, source, iteration=iteration, seed=iteration)).source
    fn, names = program.batched(program.execute(source), layout)
    assert set(names) == set(program.literal_weights(source))
    assert len(program.export_terms(fn, layout, platforms=("cpu",))) > 0


def test_a_models_critique_in_words_is_understood():
    def critique(suggestion):
        fault = Fault(kind="stumbles", what="It stumbles.", body_part="feet", phase="swing", severity=0.4, stage="coordination")
        return Critique(success=False, summary="", faults=(fault,), suggestions=(suggestion,))

    def edit(suggestion):
        return WRITER.write(WriteRequest(GOAL, "", START, {"forward_speed": 10.0}, critique=critique(suggestion))).edit

    assert edit(Suggestion(action="add", words="Lift the foot higher in swing, it drags its toes.")) == "add foot_clearance 5"
    assert edit(Suggestion(action="add", term="torso_stability", weight=30, words="Keep the torso upright")) == "add upright 200"
    assert edit(Suggestion(action="add", term="heading", weight=1e6, words="straight")) == "add heading 200"
    assert edit(Suggestion(action="reweigh", term="forward_speed", weight=14.0, words="faster")) == "reweigh forward_speed to 14"
    assert edit(Suggestion(action="add", words="Walk over here", addresses="crossed_feet")) == "add feet_apart 50"


def test_terms_of_other_goals_and_bodies_are_not_offered(layout):
    from movlr_jax.rewards.vocabulary import vocabulary
    from movlr_jax.writers.proposals import admitted

    request = WriteRequest(GOAL, vocabulary(layout), START, {"forward_speed": 10.0})
    names = set(admitted(request))
    assert not names & {"arms_down", "squat_depth", "left_knee_up", "stay_in_place", "running_speed"}
    assert {"head_height", "forward_speed", "swing_knee"} <= names
    assert "squat_depth" in admitted(WriteRequest("Squat down.", vocabulary(layout), START, {}))


def test_it_ends_in_words_when_nothing_is_left():
    source = "WEIGHTS = {}"
    with pytest.raises(MovlrError, match="Every library edit"):
        WRITER.write(WriteRequest(GOAL, "", source, {}))


def test_random_edits_ignore_the_motion_and_follow_the_seed():
    writer = RandomWriter()
    assert writer.write(ask(falling("forward"), seed=1)) == writer.write(ask(falling("left"), seed=1))
    assert len({writer.write(ask(falling("left"), seed=s)).edit for s in range(10)}) > 7
    assert writer.write(ask(falling("left"), refusal="no")).edit != writer.write(ask(falling("left"))).edit
