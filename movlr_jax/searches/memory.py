"""What a writer is reminded of: the drafts that were not kept, each with what shows why, read from the run's folder.

In: the folder with its finished iterations. Out: FailedAttempts, oldest first and bounded in number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from movlr_jax.facts import Facts
from movlr_jax.runs.iteration_record import IterationRecord
from movlr_jax.runs.run_folder import Candidate, RunFolder
from movlr_jax.writers.base import Attempt, FailedAttempt

SINCE_BEST = 10  # drafts that failed since the best
BEFORE_BEST = 3  # and before it


def failed(folder: RunFolder, best: int, programs: Mapping[int, str]) -> tuple[FailedAttempt, ...]:
    """Return the last drafts that were not kept, since the best and before it.

    Args:
        folder: the run's folder.
        best: the best iteration.
        programs: iteration -> the text of its program.
    """
    rows = folder.rows()
    placed = [item for row in rows for item in _placed(folder, row) if not (item[1].kept or item[1].given_up)]
    since = [item for item in placed if item[0].iteration > best][-SINCE_BEST:]
    before = [item for item in placed if item[0].iteration <= best][-BEFORE_BEST:]
    read = (_read(folder, rows, programs, *item) for item in [*before, *since])
    return tuple(attempt for attempt in read if attempt is not None)


def _placed(folder: RunFolder, row: IterationRecord) -> list[tuple[IterationRecord, Attempt, Candidate, int]]:
    """Return an iteration's drafts, each with its candidate's folder and its place among that candidate's."""
    iteration, counts, out = folder.iteration(row.iteration), dict[int, int](), []
    for attempt in row.tried:
        chosen = folder.chosen(row.iteration) if attempt.candidate == row.candidate else iteration.candidate(attempt.candidate)
        counts[attempt.candidate] = counts.get(attempt.candidate, -1) + 1
        out.append((row, attempt, chosen, counts[attempt.candidate]))
    return out


def _read(
    folder: RunFolder,
    rows: Sequence[IterationRecord],
    programs: Mapping[int, str],
    row: IterationRecord,
    attempt: Attempt,
    candidate: Candidate,
    draft_place: int,
) -> FailedAttempt | None:
    """Return a draft with what shows why it failed; None where its folder, of an earlier version, does not hold it, or of the first."""
    base = row.parent if attempt.builds_on is None else attempt.builds_on
    if base is None or base not in programs or not candidate.draft(draft_place).exists():
        return None
    draft = candidate.read_draft(draft_place)
    place = candidate.last_rung() if attempt.eliminated else candidate
    moved = not attempt.refused and place.has("facts.json")
    ending, facts = "", place.facts() if moved else None
    if moved and not attempt.eliminated:
        reason = folder.iteration(row.iteration).choice()["reason"]
        ending = row.why if attempt.chosen else f"Another program of the iteration went on: {reason}"
    return FailedAttempt(
        attempt=attempt,
        base=base,
        base_source=programs[base],
        source="" if draft.get("refusal") else draft["source"],
        ending=ending,
        base_score=rows[base].score,
        base_facts=_facts(folder, base),
        facts=facts,
        critique=candidate.critique() if attempt.chosen and candidate.has("critique.json") else None,
    )


def _facts(folder: RunFolder, number: int) -> Facts | None:
    chosen = folder.chosen(number)
    return chosen.facts() if chosen.has("facts.json") else None
