"""The record of an iteration that is over, made of what its steps left in the run's folder.

In: the folder with the chosen candidate promoted. Out: an IterationRecord, with the history that writers are shown and the failures found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movlr_jax import goals
from movlr_jax.facts import Measures
from movlr_jax.media.tables import ends
from movlr_jax.rewards.parameters import values_of
from movlr_jax.rewards.program import literal_parameters
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.iteration_record import Eliminated, IterationRecord
from movlr_jax.runs.run_folder import Candidate, Iteration, RunFolder
from movlr_jax.searches import failures, state
from movlr_jax.searches.inner_tuning import executed
from movlr_jax.searches.stages import Stages, trusted
from movlr_jax.tasks import gates
from movlr_jax.writers import edits, formulas
from movlr_jax.writers.base import Attempt


def close(folder: RunFolder, config: RunConfig, stages: Stages, number: int, index: int | None) -> IterationRecord:
    """Return the record of an iteration.

    Args:
        folder: the run's folder.
        config: its configuration.
        stages: know the classes of terms.
        number: the iteration.
        index: the candidate that was chosen, and promoted; None where every draft was refused.
    """
    rows, iteration, best = folder.rows(), folder.iteration(number), folder.best()
    candidates = [folder.chosen(number) if k == index else iteration.candidate(k) for k in range(config.candidates if number else 1)]
    kept = index is not None and iteration.decision()["kept"]
    eliminated = _eliminated(iteration)
    lost = {e.candidate: f"eliminated after {e.ran}: {e.reason}" for e in eliminated}
    tried = [attempt for c in candidates for attempt in _attempts(folder, c, number, c.index == index, kept, best, lost.get(c.index))]
    stage_names = [name for name in state.STAGE_NAMES if name != "tune" or config.tune.applies(number)]
    of_every_iteration: dict[str, Any] = {
        "iteration": number,
        "parent": best if index is None or best is None else folder.base(folder.chosen(number).drafts()[-1], best),
        "candidate": index,
        "refusals": [str(refusal.get("sentence", "refused")) for c in candidates for refusal in c.refusals()],
        "tried": tried,
        "exhausted": bool(tried) and all(attempt.given_up for attempt in tried),
        "seconds": {stage: iteration.seconds().get(stage, 0.0) for stage in stage_names},
        "simulated_s": _simulated(candidates, iteration),
        **({"eliminated": eliminated} if eliminated else {}),
    }
    stagnation = failures.stagnation(number, 0 if kept else state.since_best(rows) + 1, config.stagnation)
    if index is None:
        return IterationRecord(
            **of_every_iteration,
            reward="",
            metrics=Measures({}),
            gates={},
            score=None,
            kept=False,
            why=iteration.choice()["reason"],
            weights={},
            term_classes={},
            critique="",
            edit=next((attempt.edit for attempt in tried if attempt.eliminated), ""),
            changes={},
            failures=stagnation,
        )
    candidate = folder.chosen(number)
    metrics, critique, reward, tuned = candidate.metrics(), candidate.critique(), trusted(candidate), candidate.tuned()
    weights = dict(reward.weights)
    parent = None if best is None else rows[folder.base(candidate.drafts()[-1], best)]
    of_tuning = _parameters(candidate, parent) | ({} if tuned is None else {"tuned": tuned})
    decision = iteration.decision()
    stated: dict[str, Any] = {"confidence": decision["confidence"]} if "confidence" in decision else {}
    changes = _changes(folder, candidate, parent)
    suggested = failures.suggested(critique, weights)
    named = failures.collapse(number, candidate.facts().terms)
    edited, earlier = (parent.iteration, parent.changes) if parent else (None, {})
    named += failures.drift(number, changes, edited, earlier, kept, suggested)
    return IterationRecord(
        **of_every_iteration,
        reward=reward.name,
        metrics=Measures({**metrics["mean"], "fell": metrics["falls"] > 0}),
        gates=metrics["gates"],
        score=metrics["score"],
        kept=kept,
        why=decision["reason"],
        weights=weights,
        term_classes=dict(stages.classes(reward)),
        critique=critique.summary,
        edit=_edit(next(attempt.edit for attempt in tried if attempt.chosen), of_every_iteration["parent"], best),
        changes=changes,
        failures=[*named, *stagnation],
        **of_tuning,
        **stated,
    )


def _eliminated(iteration: Iteration) -> list[Eliminated]:
    """Return the programs that were eliminated in the race, in the order in which they were."""
    return [
        Eliminated(
            candidate=one["candidate"],
            rung=race["rung"],
            ran=race["ran"],
            by=one["by"],
            against=one["against"],
            reason=one["reason"],
            score=race["scores"].get(str(one["candidate"])),
        )
        for race in iteration.races()
        for one in race["eliminated"]
    ]


def _edit(edit: str, parent: int | None, best: int | None) -> str:
    """Return what the writer changed, for people: with the iteration whose reward was edited where that was not the best."""
    return edit if parent == best else f"{edit} (to iteration {parent}'s)"


def _changes(folder: RunFolder, candidate: Candidate, parent: IterationRecord | None) -> dict[str, Any]:
    """Return what the writer did, which is what a later edit may undo; the tuner moves every weight in every iteration."""
    if parent is None:
        return {}
    rewritten = formulas.rewritten(folder.chosen(parent.iteration).text(), candidate.as_written.text())
    return failures.changes(parent.weights, candidate.as_written.weights(), rewritten)


def _parameters(candidate: Candidate, parent: IterationRecord | None) -> dict[str, Any]:
    """Return what a record says of parameters: the values of the candidate's, and what the writer did to its parent's; where any are."""
    now, as_written = (values_of(literal_parameters(place.text())) for place in (candidate, candidate.as_written))
    changes = edits.parameter_changes(parent.parameters, as_written) if parent else {}
    return {**({"parameters": now} if now else {}), **({"parameter_changes": changes} if changes else {})}


def _attempts(
    folder: RunFolder, candidate: Candidate, number: int, chosen: bool, kept: bool, best: int | None, lost: str | None
) -> list[Attempt]:
    """Return what became of each of a candidate's drafts; `lost` says how its program left the race, if it did."""
    attempts, refusals, rows = [], candidate.refusals(), folder.rows()
    for attempt, draft in enumerate(candidate.drafts()):
        base = None if best is None else folder.base(draft, best)
        parent = None if base is None else rows[base]
        of_every_draft: dict[str, Any] = {"iteration": number, "candidate": candidate.index, "edit": draft["edit"], "builds_on": base}
        if attempt < len(refusals):
            outcome = f"refused: {refusals[attempt].get('sentence', 'refused')}"
            more: dict[str, Any] = {"given_up": True} if draft["given_up"] else {}
            attempts.append(Attempt(**of_every_draft, kept=False, chosen=False, outcome=outcome, refused=True, **more))
        elif lost is not None:
            metrics = candidate.last_rung().metrics()
            attempts.append(
                Attempt(
                    **of_every_draft,
                    kept=False,
                    chosen=False,
                    eliminated=True,
                    outcome=f"{lost.rstrip('.')}; {_outcome(metrics)} by then",
                    weights=candidate.weights(),
                    changes=_changes(folder, candidate, parent),
                    warnings=list(candidate.verdict().get("warnings", ())),
                    gates=metrics["gates"],
                    **_parameters(candidate, parent),
                )
            )
        elif candidate.has("metrics.json"):
            metrics = candidate.metrics()
            attempts.append(
                Attempt(
                    **of_every_draft,
                    kept=chosen and kept,
                    chosen=chosen,
                    outcome=_outcome(metrics) + _tuning(candidate),
                    weights=candidate.weights(),
                    changes=_changes(folder, candidate, parent),
                    warnings=list(candidate.verdict().get("warnings", ())),
                    score=metrics["score"],
                    gates=metrics["gates"],
                    **_parameters(candidate, parent),
                )
            )
        else:
            attempts.append(Attempt(**of_every_draft, kept=False, chosen=False))
    return attempts


def _simulated(candidates: list[Candidate], iteration: Iteration) -> float:
    """Return how much motion an iteration executed, all candidates, trials and further seeds together [s].

    Who was eliminated executed what the last rung measured: what goes on is not run again.
    """
    total, out = sum(pairing["simulated_s"] for pairing in iteration.pairings()), iteration.eliminated()
    for candidate in candidates:
        tuned = candidate.tuned()
        total += tuned.simulated_s if tuned else 0.0
        if candidate.index in out:
            total += executed(candidate.last_rung().metrics())
        if (tuned is None or tuned.moved_again) and candidate.has("metrics.json"):
            total += executed(candidate.metrics())
    return round(total, 6)


def _outcome(metrics: Mapping[str, Any]) -> str:
    """Return an evaluation in one line, for the writer's history."""
    mean, judged = metrics["mean"], gates.read(metrics)
    parts = [f"score {metrics['score']:.2f}"]
    if judged.diverged:
        parts.append("the simulation diverged")
    if metrics["falls"]:
        early, _, time = ends(mean)
        when = mean.get(time)
        parts.append(f"{metrics['falls']} of {len(metrics['episodes'])} {early}" + (f" at {when:.2f} s" if when is not None else ""))
    if judged.moved is False:
        parts.append("did not move")
    if goals.REACHED in mean:
        reached = mean[goals.REACHED]
        parts.append("nothing measures the goal" if reached is None else f"reached {reached:.2f} of the goal")
    if mean.get("distance_m") is not None:
        parts.append(f"{mean['distance_m']:.2f} m")
    if mean.get("final_position_error_m") is not None:
        parts.append(f"ended {mean['final_position_error_m']:.3f} m and {mean['final_orientation_error_rad']:.2f} rad from its goal")
    return ", ".join(parts)


def _tuning(candidate: Candidate) -> str:
    """Return what tuning did, for the writer's history."""
    tuned = candidate.tuned()
    if tuned is None:
        return ""
    what = "weights and parameters" if any(trial.get("parameters") for trial in candidate.trials()) else "weights"
    if tuned.unmoved:
        return f", {tuned.trials - 1} other sets of {what} came out the same"
    if tuned.trial == 0:
        return f", none of {tuned.trials - 1} other sets of {what} was better"
    return f" under tuned {what} (score {tuned.score_as_written:.2f} under those written)"
