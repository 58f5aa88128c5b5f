"""Recombination: what takes turns with edits of a best that stagnates, that it is made of parts that are there, and the same each time."""

from __future__ import annotations

from dataclasses import replace

from support.critic_records import walk
from support.iteration_records import attempt

from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.facts import Facts
from movlr_jax.rewards import library, program
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.writers import edits, recombination
from movlr_jax.writers.base import Draft, FailedAttempt, WriteRequest
from movlr_jax.writers.edits import Change
from movlr_jax.writers.offline_writer import OfflineWriter

GOAL = "Walk forward in a straight line with an upright posture."
START = library.text([LIBRARY["forward_speed"]])
BEST = library.text([LIBRARY[name] for name in ("forward_speed", "head_height", "balance")])


def with_terms(source: str, *names: str, **weights: float) -> str:
    """Return a program with terms of the library; some at weights of their own."""
    terms = [(name, LIBRARY[name], weights.get(name, LIBRARY[name].weight)) for name in (*names, *weights)]
    return edits.apply(source, [Change("add", name, weight, term.expression, parameters=term.parameters) for name, term, weight in terms])


# Iteration -> program, score, falls, base and edit. The best is 1; since then all failed, 3 and 4 as restarts and other programs would.
PROGRAMS = {
    0: (START, 20.0, True, None, ""),
    1: (BEST, 70.0, False, 0, "add balance 100, add head_height 200"),
    2: (with_terms(BEST, "heading"), 60.0, False, 1, "add heading 100"),
    3: (with_terms(START, "head_height", "upright", balance=60.0, lateral_speed=14.0), 66.0, False, 0, "made of parts"),
    4: (edits.set_parameter(with_terms(BEST, "upright", "swing_clock"), "stride_period", 1.3), 68.0, False, 3, "another"),
    5: (with_terms(BEST, "posture"), 90.0, True, 1, "add posture 2.5"),
}


def request(since: int, programs: dict = PROGRAMS, **more) -> WriteRequest:
    """Return what the writer is asked after so many attempts since the best."""
    history, failed = [], []
    numbers = [number for number in (*programs, *range(6, 2 + since)) if number <= 1 + since]
    texts = {n: programs.get(n, programs[2])[0] for n in numbers}
    for n in numbers:
        source, score, fell, base, edit = programs.get(n, programs[2])
        record = attempt(
            n < 2, edit, iteration=n, chosen=True, score=score, builds_on=base, weights=literal_weights(source),
            gates={"fell": fell, "diverged": False, "moved": True},
        )  # fmt: skip
        history.append(record)
        if n > 1:
            facts = Facts.read(walk(metrics__distance_m=1.0))
            failed.append(FailedAttempt(record, base or 0, START, source, facts=facts, critique=OfflineCritic().critique(None, facts)))
    terms = {name: {"weight": weight, "mean": 0.0, "std": 1.0} for name, weight in literal_weights(BEST).items()}
    best = Facts.read(walk(metrics__distance_m=2.4) | {"terms": terms})
    ask = WriteRequest(GOAL, "", BEST, literal_weights(BEST), OfflineCritic().critique(None, best), history, failed, best=1, facts=best)
    ask = replace(ask, programs=texts, iteration=2 + since)
    return replace(ask, **more)


def test_turns_begin_where_the_best_stagnates_and_differ_between_candidates():
    writer = OfflineWriter()
    plain, crossed, restarted = (writer.write(request(since)) for since in (1, 4, 5))
    assert plain.builds_on is None and not plain.rationale.startswith(("The term", "The start"))
    assert crossed.rationale.startswith("The term ") and crossed.builds_on is None
    assert restarted.rationale.startswith("The start reward again") and restarted.builds_on == 0
    # Three candidates of the fifth attempt since: a crossover, a restart, and (nothing got on farther) an edit.
    drafts: list[Draft] = []
    for k in range(3):
        others = {"siblings": [d.source for d in drafts], "sibling_edits": [d.edit for d in drafts]}
        drafts.append(writer.write(request(4, candidate=k, candidates=3, **others)))
    assert drafts[0] == crossed and drafts[1].builds_on == 0 and len({draft.source for draft in drafts}) == 3
    assert writer.write(request(4)) == crossed and writer.write(request(5)) == restarted  # the same request, the same draft


def test_a_crossover_takes_a_term_with_its_weight_and_its_parameters_values():
    found = [crossed.changes[0] for crossed in recombination.crossovers(request(4))]
    assert all(crossed.builds_on == 1 for crossed in recombination.crossovers(request(4)))
    # The most successful attempt that has others first: 4, before 3 and 2; 5 fell, and is behind them whatever its score.
    clock = next(change for change in found if change.term == "swing_clock")
    assert clock.line() == "add swing_clock 20" and clock.parameters["stride_period"] == (1.3, 0.9, 1.5)
    lines = [change.line() for change in found]
    assert {"add upright 200", "add lateral_speed 14", "reweigh balance to 60"} <= set(lines)
    assert {*lines[:2]} == {"add swing_clock 20", "add upright 200"} and "add posture 2.5" not in lines
    assert "add heading 100" not in lines  # it was tried on this very program
    assert lines.index("add upright 200") < lines.index("reweigh balance to 60")  # what is lacking comes first
    assert OfflineWriter().write(request(4)).edit == lines[0]
    taken = edits.apply(BEST, [clock])
    assert literal_parameters(taken)["stride_period"].value == 1.3 and literal_weights(taken)["swing_clock"] == 20.0
    again = OfflineWriter().write(request(4, refusal="no", attempt=1))
    assert again.edit in lines[1:]


def test_a_crossover_is_not_tried_twice_nor_beside_a_sibling():
    ask = request(4)
    lines = [crossed.changes[0].line() for crossed in recombination.crossovers(ask)]
    tried = attempt(edit=lines[0], iteration=9, builds_on=1, chosen=True)
    left = [c.changes[0].line() for c in recombination.crossovers(replace(ask, history=[*ask.history, tried], sibling_edits=[lines[1]]))]
    assert left and not {lines[0], lines[1]} & set(left)


def test_a_restart_has_what_the_most_successful_share():
    ask = request(5)
    restarted = recombination.restart(ask)
    assert restarted is not None and restarted.builds_on == 0
    # Of the best four (1, 4, 3, and one of 60 points: 5 fell) two or more have these, at the median of their weights.
    assert {c.term: c.weight for c in restarted.changes} == {"head_height": 200.0, "balance": 100.0, "upright": 200.0}
    text = edits.apply(START, restarted.changes)
    assert set(literal_weights(text)) == {"forward_speed", "head_height", "balance", "upright"}


def test_a_restart_that_was_tried_leaves_terms_out():
    ask = request(5)
    first = recombination.restart(ask)
    assert first is not None and {c.term for c in first.changes} == {"head_height", "balance", "upright"}
    tried = attempt(edit=edits.describe(first.changes), iteration=9, builds_on=0, chosen=True)
    second = recombination.restart(replace(ask, history=[*ask.history, tried]))
    assert second is not None and {c.term for c in second.changes} < {c.term for c in first.changes}
    assert recombination.restart(replace(ask, programs={1: BEST})) is None  # no start is known


def test_without_other_attempts_the_best_is_edited():
    alone = {n: (BEST if n else START, 70.0, False, n - 1 if n else None, "") for n in range(6)}
    draft = OfflineWriter().write(request(4, programs=alone))
    assert draft.builds_on is None and not draft.rationale.startswith("The ")


def test_recombined_programs_are_programs(layout):
    for since in (4, 5):
        draft = OfflineWriter().write(request(since))
        _, names = program.batched(program.execute(draft.source), layout)
        assert set(names) == set(literal_weights(draft.source))
