"""The MoVLR iteration (arXiv 2512.23077): write, prove, move, judge, keep; elitist, resumable at every step.

Flows in: a run's folder, its configuration, the stages. Flows out: the folder, filled. `state.next_step` says what is
missing, `Loop` makes it; what one step made, the next reads back from the disk. The writer always edits the best
reward and is shown the critique of the best's motion; what failed since stands in the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic, goals
from movlr_jax.critics.base import Evidence
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.facts import Term
from movlr_jax.feedback import judging
from movlr_jax.llm import ledger
from movlr_jax.llm.base import ModelFault
from movlr_jax.media import next_steps
from movlr_jax.media.tables import ends
from movlr_jax.runs import records
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import Candidate, RunFolder, read_arrays
from movlr_jax.searches import failures, state
from movlr_jax.searches.events import Event, Kind, Progress
from movlr_jax.searches.inner_tuning import InnerTuner, executed
from movlr_jax.searches.stages import Judged, Stages, Trusted, measured
from movlr_jax.seeds import derive
from movlr_jax.tasks import gates
from movlr_jax.tracking.base import Tracker
from movlr_jax.writers.base import Draft, NothingLeft, WriteRequest

# (iteration, its clip or None, its critique) -> what a person advises, or "".
Advisor = Callable[[int, Path | None, Mapping[str, Any]], str]


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        folder: the run's folder.
        best: the iteration kept as best, or None.
        score: its score.
        metrics: its mean metrics.
        rows: one row an iteration, as in summary.json.
        named_failures: name, iteration and sentence of each.
        stopped: "iterations", "patience", "exhausted", "budget", "interrupted" or, in summary.json alone, "fault".
        message: one sentence for people: how it ended and how to go on.
    """

    folder: Path
    best: int | None
    score: float | None
    metrics: dict[str, Any]
    rows: list[dict[str, Any]]
    named_failures: list[dict[str, Any]]
    stopped: str
    message: str


class Loop:
    """Drives one run.

    Args:
        folder: the run's folder, held by this process.
        config: its configuration.
        stages: what does the work.
        trackers: who is told of each closed iteration.
        progress: who shows events, or None.
        header: task, goal, morphology and engine for summary.json.
        clock: monotonic seconds, for the time budget and the stages' wall times.
        advisor: asks a person, or None where nobody can be asked.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: RunConfig,
        stages: Stages,
        trackers: tuple[Tracker, ...] = (),
        progress: Progress | None = None,
        header: Mapping[str, Any] | None = None,
        clock: Any = time.monotonic,
        advisor: Advisor | None = None,
    ):
        self.folder, self.config, self.stages = folder, config, stages
        self.trackers, self.progress, self.header = trackers, progress, dict(header or {})
        self._clock, self.advisor = clock, advisor
        self._tuner = InnerTuner(config, stages)
        self._announced = -1
        self._best = self._read_best()

    def run(self) -> RunResult:
        """Go on until nothing is left, the budget is spent, or the user interrupts.

        Raises:
            MovlrError: a stage cannot go on; everything made so far is saved.
            ModelFault: a model cannot be asked; likewise.
        """
        atomic.sweep(self.folder.path)
        self.folder.point_best()
        began, rows = self._clock(), self.folder.rows()
        self._tell("run", len(rows), message="" if not rows else f"Going on after iteration {len(rows) - 1}.")
        stopped, spent = "interrupted", ""
        try:
            while True:
                step = state.next_step(self.folder, self.config)
                if isinstance(step, state.Finished):
                    stopped = step.reason
                    if stopped == "budget":
                        spent = f"The budget of {self.config.max_simulated:g} simulated seconds is spent"
                    break
                if self.config.max_minutes and self._clock() - began > 60.0 * self.config.max_minutes:
                    stopped, spent = "budget", f"The time budget of {self.config.max_minutes:g} minutes is spent"
                    break
                try:
                    self._perform(step)
                except ModelFault as fault:
                    if fault.kind != "stopped":
                        raise
                    # The call that was not made is made when the run goes on; the step's others are in the records.
                    stopped, spent = "budget", str(fault)
                    break
            self.write_summary(stopped, spent)
            self._illustrate()
        except KeyboardInterrupt:
            stopped = "interrupted"
        except ModelFault as fault:
            self.write_summary("fault")
            again = (
                f"; the answer is {self.folder[ledger.FOLDER] / fault.record}.json, and is asked for again without it"
                if fault.record
                else ""
            )
            sentence = f"{fault} Everything is saved: go on with `{next_steps.resume(self.folder.path)}`{again}."
            raise ModelFault(sentence, fault.kind, fault.record) from None
        result = self.write_summary(stopped, spent)
        self._tell("finished", len(result.rows), message=result.message)
        return result

    def _perform(self, step: state.Step) -> None:
        stage = state.STAGES[type(step)]
        number = step.iteration  # type: ignore[union-attr]
        if self._announced < number:
            self._announced = number
            self._tell("iteration", number)
        if not isinstance(step, state.Move | state.Try):
            self._tell("stage", number, stage=stage, candidate=getattr(step, "candidate", 0))
        began = self._clock()
        match step:
            case state.Write():
                self._write(step)
            case state.Prove():
                self._prove(step)
            case state.Try():
                self._try(step)
            case state.Weigh():
                self._weigh(step)
            case state.Settle():
                self._settle(step)
            case state.Move():
                self._move(step)
            case state.Measure():
                self._measure(step)
            case state.Choose():
                self._choose(step)
            case state.Film():
                self._film(step)
            case state.Critique():
                self._critique(step)
            case state.Advise():
                self._advise(step)
            case state.Decide():
                self._decide(step)
            case state.Keep():
                # The row holds the seconds of the stages before it; its own time is too small to be worth a second
                # writing.
                self._keep(step)
            case state.Track():
                self._track(step)
        # Nor is the time that a person takes to think that of a stage.
        if not isinstance(step, state.Advise | state.Keep | state.Track):
            self.folder.iteration(number).add_seconds(stage, self._clock() - began)

    # propose

    def _write(self, step: state.Write) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        given_up = ""
        if step.iteration == 0:
            draft = self.stages.start()
        else:
            try:
                draft = self.stages.write(self._request(step, candidate))
            except NothingLeft as nothing:
                draft, given_up = Draft("", name=f"iteration {step.iteration}"), str(nothing)
        candidate.record_calls(f"write-{step.attempt:02d}", draft.calls)
        candidate.save_draft(step.attempt, draft, given_up)

    def _request(self, step: state.Write, candidate: Candidate) -> WriteRequest:
        best = self.folder.best()
        if best is None:
            raise MovlrError(f"Iteration 0 of {self.folder.path} left no reward to edit: start the run again.")
        source = self._chosen(best)
        refusals = candidate.refusals()
        written = records.read(candidate.draft(step.attempt - 1)) if step.attempt else None
        siblings = [self.folder.iteration(step.iteration).candidate(k) for k in range(step.candidate)]
        facts = source.facts()
        return WriteRequest(
            goal=self.stages.goal,
            vocabulary=self.stages.vocabulary,
            iteration=step.iteration,
            candidate=step.candidate,
            candidates=self.config.candidates,
            attempt=step.attempt,
            seed=derive(self.config.seed, "write", step.iteration, step.candidate, step.attempt),
            best_source=source.text(),
            best_weights=facts.weights,
            facts=facts,
            critique=records.Judgement.model_validate(source.read("critique.json")),
            advice=self._advice(best),
            history=tuple(record for row in self.folder.rows() for record in row["tried"]),
            siblings=tuple(s.text() for s in map(self._as_written, siblings) if s.proven),
            refusal=_reason(refusals[-1]) if refusals else None,
            refused_source=written["source"] if written else None,
            clip=source["clip.mp4"] if source.has("clip.mp4") else None,
        )

    def _as_written(self, candidate: Candidate) -> Candidate:
        """Return where a candidate's text stands as it was written."""
        return candidate.written if candidate.written.proven else candidate

    def _advice(self, best: int) -> str:
        """Return what a person said of the best motion and of those since, each with the motion it is about."""
        found = []
        for row in self.folder.rows()[best:]:
            chosen = self.folder.iteration(row["iteration"]).chosen()
            said = "" if chosen is None else chosen.read("critique.json").get("advice", "")
            if said:
                which = "" if row["iteration"] == best else f"Of the motion of iteration {row['iteration']}, which was not kept: "
                found.append(which + said)
        return " ".join(found)

    # prove

    def _prove(self, step: state.Prove) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        raw = records.read(candidate.draft(step.attempt))
        draft = Draft(raw["source"], raw["edit"], raw["rationale"], name=raw["name"])
        earlier = self.folder.sources().get(draft.source.strip())
        if raw["given_up"]:
            verdict: Mapping[str, Any] = {"trusted": False, "given_up": True, "sentence": raw["given_up"], "line": None}
        elif raw.get("refusal"):
            verdict = {"trusted": False, "stage": "answer", "sentence": raw["refusal"], "line": None}
        elif earlier is not None:
            sentence = f"This very program was tried in {earlier}: change something else."
            verdict = {"trusted": False, "sentence": sentence, "line": None}
        else:
            proof = self.stages.prove(draft, self._archive())
            verdict = proof.verdict.to_json()
            if proof.reward is not None:
                place = candidate.written if self.config.tune.applies(step.iteration) else candidate
                place.keep(draft.source, proof.reward.artifact, proof.reward.weight_of(), verdict)
                return
        if step.iteration == 0:
            line = f" (line {verdict['line']})" if verdict.get("line") else ""
            raise MovlrError(f"The start reward is refused{line}: {verdict['sentence']}")
        atomic.write_json(candidate.refusal(step.attempt), verdict)
        self._tell("refused", step.iteration, stage="prove", candidate=step.candidate, message=str(verdict.get("sentence", "")))

    def _archive(self) -> list[Judged]:
        """Return the motions of the closed iterations, oldest first."""
        closed = [(row, self.folder.iteration(row["iteration"]).chosen()) for row in self.folder.rows()]
        return [Judged(row["score"], chosen.rollout(self.config.seeds[0])) for row, chosen in closed if chosen is not None]

    def _trusted(self, candidate: Candidate, place: Candidate | None = None) -> Trusted:
        """Return a candidate's reward as it stands in its folder, or in another place of it."""
        drafts = candidate.drafts()
        if not drafts:
            raise BadFile(f"{candidate.path} has no drafts/: restore them, or start the run again.")
        place = place or candidate
        return Trusted(
            name=drafts[-1]["name"],
            source=place.text(),
            weights=place.read("weights.json"),
            folder=place.path,
        )

    # tune

    def _try(self, step: state.Try) -> None:
        iteration = self.folder.iteration(step.iteration)
        rewards: dict[int, Trusted | None] = {}
        for index in dict.fromkeys(index for index, _ in step.jobs):
            candidate = iteration.candidate(index)
            written = self._trusted(candidate, candidate.written)
            rewards[index] = self._tuner.to_move(step.iteration, candidate, step.trial, written)
        jobs = [(index, seed) for index, seed in step.jobs if rewards[index] is not None][: self.stages.side_by_side]
        if jobs:
            places = {index: iteration.candidate(index).trial(step.trial) for index, _ in jobs}
            self._run(step.iteration, jobs, {k: r for k, r in rewards.items() if r is not None}, places, "tune", step.trial)

    def _weigh(self, step: state.Weigh) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        self._tuner.weigh(step.iteration, candidate, step.trial, self._trusted(candidate, candidate.written))

    def _settle(self, step: state.Settle) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        name = self._trusted(candidate, candidate.written).name
        refused = self._tuner.settle(candidate, name, lambda draft: self.stages.prove(draft, self._archive()))
        if refused:
            message = f"The best weights are refused, the next best are proven: {refused}"
            self._tell("refused", step.iteration, stage="prove", candidate=step.candidate, message=message)

    # move

    def _move(self, step: state.Move) -> None:
        jobs = step.jobs[: self.stages.side_by_side]
        candidates = {index: self.folder.iteration(step.iteration).candidate(index) for index, _ in jobs}
        rewards = {index: self._trusted(candidate) for index, candidate in candidates.items()}
        self._run(step.iteration, jobs, rewards, candidates, "move")

    def _run(
        self,
        number: int,
        jobs: Sequence[tuple[int, int]],
        rewards: Mapping[int, Trusted],
        places: Mapping[int, Candidate],
        stage: str,
        trial: int | None = None,
    ) -> None:
        """Run episodes of (candidate, seed) side by side, and save each in its candidate's place."""
        told: dict[str, Any] = {"stage": stage, "candidate": jobs[0][0], "trial": trial, "seed": jobs[0][1]}

        def advanced(seconds: float) -> None:
            self._tell("simulated", number, simulated_s=seconds, **told)

        self._tell("stage", number, **told)
        moved = self.stages.move([(rewards[index], seed) for index, seed in jobs], advanced)
        for (index, seed), arrays in zip(jobs, moved, strict=True):
            atomic.write_npz(places[index].rollout(seed), arrays)

    def _measure(self, step: state.Measure) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        rollouts = [read_arrays(candidate.rollout(seed)) for seed in self.config.seeds]
        facts, metrics = measured(self.stages, self._trusted(candidate), rollouts)
        atomic.write_json(candidate["facts.json"], facts.to_json())
        atomic.write_json(candidate["metrics.json"], metrics)

    # judge

    def _measured(self, number: int) -> list[Candidate]:
        count = self.config.candidates if number else 1
        return [c for c in (self.folder.iteration(number).candidate(k) for k in range(count)) if c.has("metrics.json")]

    def _choose(self, step: state.Choose) -> None:
        iteration = self.folder.iteration(step.iteration)
        index, reason = judging.choose([(c.index, c.read("metrics.json")) for c in self._measured(step.iteration)])
        atomic.write_json(iteration["choice.json"], {"candidate": index, "reason": reason})

    def _chosen(self, number: int) -> Candidate:
        chosen = self.folder.iteration(number).chosen()
        if chosen is None:
            raise MovlrError(f"Iteration {number} of {self.folder.path} has no reward: its files were changed; start the run again.")
        return chosen

    def _evidence(self, candidate: Candidate, name: str) -> Evidence:
        return Evidence(candidate.facts(), candidate["clip.mp4"] if candidate.has("clip.mp4") else None, name)

    def _film(self, step: state.Film) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        try:
            with atomic.replacing(candidate["clip.mp4"]) as partial:
                self.stages.film(read_arrays(candidate.rollout(self.config.seeds[0])), partial, f"iteration {step.iteration}")
        except MovlrError as error:
            # A machine that cannot draw still searches; a critic that needs the clip says so itself.
            atomic.write_json(candidate["no_clip.json"], {"sentence": str(error)})
            self._tell("warning", step.iteration, stage="film", message=f"There is no clip: {error}")

    def _critique(self, step: state.Critique) -> None:
        candidate, best = self.folder.iteration(step.iteration).candidate(step.candidate), self.folder.best()
        earlier = None if best is None else self._chosen(best).read("critique.json")
        critique = dict(self.stages.critique(self._evidence(candidate, f"iteration {step.iteration}"), earlier))
        candidate.record_calls("critique", critique.pop("calls", None))
        # A person may take hours, and the critique may have been paid for: it is saved before the question.
        atomic.write_json(candidate["unadvised.json" if self.config.ask else "critique.json"], critique)

    def _advise(self, step: state.Advise) -> None:
        candidate = self.folder.iteration(step.iteration).candidate(step.candidate)
        critique, said = candidate.read("unadvised.json"), ""
        # A run that was begun with --ask may go on without it.
        if self.config.ask:
            if self.advisor is None:
                raise MovlrError(
                    "This run asks for advice, and there is nobody to ask: go on in a terminal with "
                    f"`{next_steps.resume(self.folder.path)}`, or without advice by adding --ask False."
                )
            said = self.advisor(step.iteration, candidate["clip.mp4"] if candidate.has("clip.mp4") else None, critique).strip()
        atomic.write_json(candidate["critique.json"], {**critique, "advice": said})

    def _decide(self, step: state.Decide) -> None:
        iteration = self.folder.iteration(step.iteration)
        candidate, best = iteration.candidate(step.candidate), self.folder.best()
        if best is None:
            decision = judging.Decision(True, "first", "It is the first.")
        else:
            held = self._chosen(best)
            metrics, before = candidate.read("metrics.json"), held.read("metrics.json")
            by_gates = judging.gates_decide(gates.read(metrics), gates.read(before))
            if by_gates is not None:
                decision = by_gates
            else:
                preference, calls = self.stages.compare(
                    self._evidence(candidate, f"iteration {step.iteration}"),
                    self._evidence(held, f"iteration {best}, the best so far"),
                )
                candidate.record_calls("prefer", calls)
                decision = judging.settle(metrics, before, preference)
        atomic.write_json(
            iteration["decision.json"],
            {"kept": decision.kept, "by": decision.by, "reason": decision.reason, "against": best},
        )

    # keep

    def _keep(self, step: state.Keep) -> None:
        iteration = self.folder.iteration(step.iteration)
        choice = iteration.read("choice.json")
        index = choice["candidate"]
        if index is not None:
            iteration.promote(index)
        row = self._row(step.iteration, index)
        atomic.write_json(iteration["iteration.json"], row)
        self.folder.point_best()
        self._best = self._read_best()
        self.write_summary("running")
        for failure in row["failures"]:
            self._tell("failure", step.iteration, message=failure["sentence"])
        message = row["critique"] if not row["edit"] else f"{row['edit']}: {row['critique']}"
        if index is None:
            message = f"Every draft was refused: {row['refusals'][-1] if row['refusals'] else 'none was written'}"
        self._tell("judged", step.iteration, stage="save", score=row["score"], kept=row["kept"], message=message)

    def _row(self, number: int, index: int | None) -> dict[str, Any]:
        rows, best = self.folder.rows(), self.folder.best()
        parent_weights = rows[best]["weights"] if best is not None else {}
        iteration = self.folder.iteration(number)
        tried, refusals = self._tried(number, index, parent_weights)
        gave_up = bool(tried) and all(record.get("given_up") for record in tried)
        row: dict[str, Any] = {
            "iteration": number,
            "reward": "",
            "metrics": {},
            "gates": {},
            "score": None,
            "kept": False,
            "why": iteration.read("choice.json")["reason"],
            "weights": {},
            "term_classes": {},
            "critique": "",
            "edit": "",
            "changes": {},
            "parent": best,
            "candidate": index,
            "refusals": refusals,
            "tried": tried,
            "exhausted": gave_up,
            "seconds": {stage: iteration.seconds().get(stage, 0.0) for stage in self._stage_names(number)},
            "simulated_s": self._simulated(number, index),
        }
        named: list[dict[str, Any]] = []
        if index is not None:
            candidate = self._chosen(number)
            decision, metrics = (
                iteration.read("decision.json"),
                candidate.read("metrics.json"),
            )
            critique, trusted = candidate.read("critique.json"), self._trusted(candidate)
            weights = dict(trusted.weights)
            # What the writer did, which is what a later edit may undo; the tuner moves every weight in every iteration.
            written = self._as_written(candidate).read("weights.json")
            edit = failures.changes(parent_weights, written) if best is not None else {}
            row |= {
                "reward": trusted.name,
                "metrics": {**metrics["mean"], "fell": metrics["falls"] > 0},
                "gates": metrics["gates"],
                "score": metrics["score"],
                "kept": decision["kept"],
                "why": decision["reason"],
                "weights": weights,
                "term_classes": dict(self.stages.classes(trusted)),
                "critique": str(critique.get("summary", "")),
                "edit": next(record["edit"] for record in tried if record["chosen"]),
                "changes": edit,
            }
            if candidate.has("tuned.json"):
                row["tuned"] = candidate.read("tuned.json")
            parent_edit = rows[best]["changes"] if best is not None else {}
            asked = failures.suggested(critique, weights)
            named += failures.collapse(number, candidate.facts().terms)
            named += failures.drift(number, edit, best, parent_edit, row["kept"], asked)
        named += failures.stagnation(number, state.since_best([*rows, row]), self.config.stagnation)
        return {**row, "failures": named}

    def _stage_names(self, number: int) -> list[str]:
        return [name for name in state.STAGE_NAMES if name != "tune" or self.config.tune.applies(number)]

    def _simulated(self, number: int, index: int | None) -> float:
        """Return how much motion an iteration executed, all candidates and trials together [s]."""
        total = 0.0
        for k in range(self.config.candidates if number else 1):
            candidate = self._chosen(number) if k == index else self.folder.iteration(number).candidate(k)
            tuned = candidate.read("tuned.json") if candidate.has("tuned.json") else {"simulated_s": 0.0, "moved_again": True}
            total += tuned["simulated_s"]
            if tuned["moved_again"] and candidate.has("metrics.json"):
                total += executed(candidate.read("metrics.json"))
        return round(total, 6)

    def _tried(self, number: int, index: int | None, parent: Mapping[str, float]) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the history records of an iteration's drafts, and the sentences of its refusals."""
        iteration = self.folder.iteration(number)
        decision = iteration.read("decision.json") if iteration.has("decision.json") else {"kept": False}
        records: list[dict[str, Any]] = []
        sentences: list[str] = []
        for k in range(self.config.candidates if number else 1):
            candidate = self._chosen(number) if k == index else iteration.candidate(k)
            refusals = candidate.refusals()
            for attempt, draft in enumerate(candidate.drafts()):
                record: dict[str, Any] = {
                    "iteration": number,
                    "candidate": k,
                    "edit": draft["edit"],
                    "kept": False,
                    "chosen": False,
                }
                if attempt < len(refusals):
                    sentence = str(refusals[attempt].get("sentence", "refused"))
                    sentences.append(sentence)
                    record |= {"outcome": f"refused: {sentence}", "refused": True}
                    if draft["given_up"]:
                        record["given_up"] = True
                elif candidate.has("metrics.json"):
                    metrics, weights = (
                        candidate.read("metrics.json"),
                        candidate.read("weights.json"),
                    )
                    chosen = k == index
                    tuned = candidate.read("tuned.json") if candidate.has("tuned.json") else None
                    written = self._as_written(candidate).read("weights.json")
                    record |= {
                        "chosen": chosen,
                        "kept": chosen and decision["kept"],
                        "outcome": _outcome(metrics) + _tuning(tuned),
                        "weights": weights,
                        "changes": failures.changes(parent, written) if parent else {},
                        "warnings": list(candidate.read("verdict.json").get("warnings", ())),
                        "score": metrics["score"],
                        "gates": metrics["gates"],
                    }
                records.append(record)
        return records, sentences

    def _track(self, step: state.Track) -> None:
        row = self.folder.rows()[step.iteration]
        chosen = None if row["candidate"] is None else self._chosen(step.iteration)
        scalars = _scalars(row, chosen.facts().terms if chosen else {})
        best = max((r["iteration"] for r in self.folder.rows()[: step.iteration + 1] if r["kept"]), default=None)
        if best is not None and (score := self.folder.rows()[best]["score"]) is not None:
            scalars["best_score"] = float(score)  # what a sweep goes by: the score of what was kept so far
        videos = {"clip": chosen["clip.mp4"]} if chosen and chosen.has("clip.mp4") else {}
        for tracker in self.trackers:
            tracker.log(step.iteration, scalars, {}, videos)
        atomic.write_json(self.folder.iteration(step.iteration)["tracked.json"], {"by": [t.name for t in self.trackers]})

    def _illustrate(self) -> None:
        """Draw heat maps and report, and show the trackers the heat maps; a picture that fails costs a warning."""
        number = len(self.folder.rows()) - 1
        if number < 0:
            return
        self._tell("stage", number, stage="save")
        try:
            self.stages.illustrate(self.folder.path)
        except Exception as error:
            self._tell(
                "warning",
                number,
                message=f"The report was not drawn ({type(error).__name__}: {error}); `movlr report` draws it.",
            )
        images = {path.stem: path for path in sorted(self.folder["heatmaps"].glob("*.png"))}
        if images:
            for tracker in self.trackers:
                tracker.log(number, {}, images, {})

    def write_summary(self, stopped: str, spent: str = "") -> RunResult:
        """Write summary.json from the rows, and return the result it stands for.

        Args:
            stopped: why the run ended, or "running".
            spent: which budget ended it, in words.
        """
        rows, best = self.folder.rows(), self.folder.best()
        named = [failure for row in rows for failure in row["failures"]]
        if stopped in ("interrupted", "budget"):
            why = spent or "Interrupted"
            raised = " and a larger one" if spent else ""
            message = f"{why}; everything is saved: go on with `{next_steps.resume(self.folder.path)}`{raised}."
        elif stopped == "patience":
            message = f"Stopped after {self.config.patience} iterations without a new best."
        elif stopped == "exhausted":
            message = f"Stopped: {rows[-1]['refusals'][-1]}"
        else:
            message = f"All {self.config.iterations} iterations are done."
        hidden = ("failures", "tried", "exhausted")
        atomic.write_json(
            self.folder["summary.json"],
            {
                **self.header,
                "seed": self.config.seed,
                "best": best,
                "stopped": stopped,
                "spent": spent,
                "named_failures": named,
                "calls": {purpose: vars(sums) for purpose, sums in ledger.Ledger(self.folder[ledger.FOLDER]).by_purpose().items()},
                "iterations": [{k: v for k, v in row.items() if k not in hidden} for row in rows],
            },
        )
        held = rows[best] if best is not None else {"score": None, "metrics": {}}
        return RunResult(self.folder.path, best, held["score"], held["metrics"], rows, named, stopped, message)

    def _read_best(self) -> tuple[int | None, float | None]:
        """Return the best iteration and its score, for the progress view."""
        best = self.folder.best()
        return best, None if best is None else self.folder.rows()[best]["score"]

    def _tell(self, kind: Kind, number: int, message: str = "", **more: Any) -> None:
        if self.progress is None:
            return
        best, score = self._best
        self.progress(
            Event(
                kind,
                iteration=min(number, self.config.iterations),
                iterations=self.config.iterations,
                seconds=float(self.header.get("seconds", 0.0)),
                best=best,
                best_score=score,
                message=message,
                **more,
            )
        )


def _reason(verdict: Mapping[str, Any]) -> str:
    """Return a refusal as its writer reads it."""
    line = verdict.get("line")
    return f"{verdict.get('sentence', 'refused')}" + (f" (line {line})" if line else "")


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


def _tuning(tuned: Mapping[str, Any] | None) -> str:
    """Return what tuning did, for the writer's history."""
    if tuned is None:
        return ""
    if tuned.get("unmoved"):
        return f", {tuned['trials'] - 1} other sets of weights came out the same"
    if tuned["trial"] == 0:
        return f", none of {tuned['trials'] - 1} other sets of weights was better"
    return f" under tuned weights (score {tuned['score_as_written']:.2f} under those written)"


def _scalars(row: Mapping[str, Any], terms: Mapping[str, Term]) -> dict[str, float]:
    """Return what trackers plot of an iteration: metrics, gates, seconds, and what each term did."""
    found: dict[str, float] = {"kept": float(row["kept"]), "refusals": float(len(row["refusals"]))}
    found["simulated_s"] = float(row.get("simulated_s", 0.0))  # an older version did not count
    if row["score"] is not None:
        found["score"] = float(row["score"])
    for group in ("metrics", "gates", "seconds"):
        for name, value in row[group].items():
            if isinstance(value, bool | int | float):
                found[f"{group}/{name}"] = float(value)
    for name, term in terms.items():
        did = {"weight": term.weight, "mean": term.mean, "std": term.std, "share_of_spread": term.share_of_spread}
        found |= {f"terms/{name}/{key}": value for key, value in did.items()}
    return found
