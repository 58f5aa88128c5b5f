"""The MoVLR iteration (arXiv 2512.23077): write, prove, move, judge, keep; elitist, resumable at every step.

Flows in: a run's folder, its configuration, the stages. Flows out: the folder, filled. `state.next_step` says what is
missing, `Loop` makes it; what one step made, the next reads back from the disk. The writer always edits the best
reward and is shown the critique of the best's motion; what failed since stands in the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from movlr_jax import atomic
from movlr_jax.llm import ledger
from movlr_jax.llm.base import ModelFault
from movlr_jax.media import next_steps
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.searches import closing, state, tracked
from movlr_jax.searches.events import Event, Kind, Progress
from movlr_jax.searches.result import RunResult, summarize
from movlr_jax.searches.stages import Stages
from movlr_jax.searches.steps import Advisor, Steps
from movlr_jax.tracking.base import Tracker


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
        self._clock = clock
        steps = Steps(folder, config, stages, self._report, advisor)
        # What makes the product of a step.
        self._makes: dict[type, Callable[[Any], None]] = {
            state.Write: steps.write,
            state.Prove: steps.prove,
            state.Try: steps.try_weights,
            state.Weigh: steps.weigh,
            state.Settle: steps.settle,
            state.Begin: steps.begin,
            state.Gauge: steps.gauge,
            state.Eliminate: steps.eliminate,
            state.Move: steps.move,
            state.Measure: steps.measure,
            state.Choose: steps.choose,
            state.Film: steps.film,
            state.Critique: steps.critique,
            state.Advise: steps.advise,
            state.Extend: steps.extend,
            state.Pair: steps.pair,
            state.Decide: steps.decide,
            state.Keep: self._keep,
            state.Track: self._track,
        }
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
        self._report("run", len(rows), message="" if not rows else f"Going on after iteration {len(rows) - 1}.")
        stopped, spent = "interrupted", ""
        try:
            while True:
                step = state.next_step(self.folder, self.config, self.stages.seconds, self.stages.side_by_side)
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
            self._summarize(stopped, spent)
            self._illustrate()
        except KeyboardInterrupt:
            stopped = "interrupted"
        except ModelFault as fault:
            self._summarize("fault")
            again = (
                f"; the answer is {self.folder[ledger.FOLDER] / fault.record}.json, and is asked for again without it"
                if fault.record
                else ""
            )
            sentence = f"{fault} Everything is saved: go on with `{next_steps.resume(self.folder.path)}`{again}."
            raise ModelFault(sentence, fault.kind, fault.record) from None
        result = self._summarize(stopped, spent)
        self._report("finished", len(result.rows), message=result.message)
        return result

    def _perform(self, step: state.Step) -> None:
        stage = state.STAGES[type(step)]
        number = step.iteration  # type: ignore[union-attr]
        if self._announced < number:
            self._announced = number
            self._report("iteration", number)
        if not isinstance(step, state.Begin | state.Move | state.Try | state.Extend):
            self._report("stage", number, stage=stage, candidate=getattr(step, "candidate", 0))
        began = self._clock()
        # The record holds the seconds of the stages before it; its own time is too small to be worth a second writing.
        self._makes[type(step)](step)
        # Nor is the time that a person takes to think that of a stage.
        if not isinstance(step, state.Advise | state.Keep | state.Track):
            self.folder.iteration(number).add_seconds(stage, self._clock() - began)

    def _keep(self, step: state.Keep) -> None:
        iteration = self.folder.iteration(step.iteration)
        index = iteration.choice()["candidate"]
        if index is not None:
            iteration.promote(index)
        row = closing.close(self.folder, self.config, self.stages, step.iteration, index)
        atomic.write_json(iteration["iteration.json"], row.to_json())
        self.folder.point_best()
        self._best = self._read_best()
        self._summarize("running")
        for failure in row.failures:
            self._report("failure", step.iteration, message=failure.sentence)
        message = row.critique if not row.edit else f"{row.edit}: {row.critique}"
        if index is None:
            message = row.why if row.eliminated else f"Every draft was refused: {row.refusals[-1] if row.refusals else 'none was written'}"
        self._report("judged", step.iteration, stage="save", score=row.score, kept=row.kept, confidence=row.confidence, message=message)

    def _track(self, step: state.Track) -> None:
        tracked.track(self.folder, step.iteration, self.trackers)

    def _illustrate(self) -> None:
        """Draw heat maps and report, and show the trackers the heat maps; a picture that fails costs a warning."""
        number = len(self.folder.rows()) - 1
        if number < 0:
            return
        self._report("stage", number, stage="save")
        try:
            self.stages.illustrate(self.folder.path)
        except Exception as error:
            self._report(
                "warning",
                number,
                message=f"The report was not drawn ({type(error).__name__}: {error}); `movlr report` draws it.",
            )
        tracked.show_heat_maps(self.folder, number, self.trackers)

    def _summarize(self, stopped: str, spent: str = "") -> RunResult:
        return summarize(self.folder, self.config, self.header, stopped, spent)

    def _read_best(self) -> tuple[int | None, float | None]:
        """Return the best iteration and its score, for the progress view."""
        best = self.folder.best()
        return best, None if best is None else self.folder.rows()[best].score

    def _report(self, kind: Kind, number: int, message: str = "", **more: Any) -> None:
        if self.progress is None:
            return
        best, score = self._best
        self.progress(
            Event(
                kind,
                iteration=min(number, self.config.iterations),
                iterations=self.config.iterations,
                best=best,
                best_score=score,
                message=message,
                **{"seconds": float(self.header.get("seconds", 0.0)), **more},
            )
        )
