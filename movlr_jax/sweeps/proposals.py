"""Trials that Optuna proposes from the results so far; its study stands in the sweep's folder, as a journal.

Flows in: the rows of the trials that have ended. Flows out: the next trial, added to the plan's file. Trial n is proposed from the results
of trials 0 to n - parallel, given to Optuna in their order, by a sampler keyed by n: what is proposed depends on the results alone, not on
which trial happened to end first, nor on how often the driver was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from movlr_jax.seeds import derive
from movlr_jax.sweeps.definition import SweepFile
from movlr_jax.sweeps.plan import Plan, Trial
from movlr_jax.tuning import optuna_study

JOURNAL = "optuna.journal"


class Proposer:
    """Asks Optuna.

    Args:
        sweep: what to propose.
        plan: the plan so far; `plan` is the one with what was proposed since.

    Raises:
        MovlrError: Optuna is not installed, or its journal cannot be read.
    """

    def __init__(self, sweep: SweepFile, plan: Plan):
        optuna = optuna_study.optuna("Optuna is not installed: pip install 'movlr-jax[sweep]'.")
        assert sweep.optuna is not None
        self._optuna, self._proposed, self._space, self.plan = optuna, sweep.optuna, sweep.space, plan
        self._study = optuna_study.study(plan.out / JOURNAL, plan.name, sweep.optuna.direction)

    def ask(self, rows: Sequence[Mapping[str, Any]], failed: Mapping[int, str]) -> Trial | None:
        """Return a new trial, or None where there is to be no further, or results are missing that it depends on.

        Args:
            rows: one a trial of the plan.
            failed: trials that could not be brought to their end; nothing is learnt from them.
        """
        number = len(self.plan.trials)
        over = number >= self._proposed.trials
        due = rows if over else rows[: max(0, number - self._proposed.parallel + 1)]
        for row in due:
            if row["state"] == "done":
                self._tell(row)
            elif row["trial"] not in failed and not over:
                return None
        if over:
            return None
        self._study.sampler = self._sampler("sweep", number)
        begun = self._study.get_trials(deepcopy=False)
        # A driver that was killed in between left a trial that the plan does not know; it is proposed to the end.
        proposal = self._optuna.trial.Trial(self._study, begun[number]._trial_id) if len(begun) > number else self._study.ask()
        _ = proposal.relative_params  # what is sampled jointly is sampled now, by the trial's own key
        values = {}
        for path, of in self._space.items():
            # A key for each value: those that a killed driver had drawn already draw nothing now.
            self._study.sampler = self._sampler("sweep", number, path)
            values[path] = of.propose(proposal, path)
        trial = Trial(number, values)
        self.plan = replace(self.plan, trials=(*self.plan.trials, trial)).save()
        return trial

    def _tell(self, row: Mapping[str, Any]) -> None:
        trial = self._study.get_trials(deepcopy=False)[row["trial"]]
        if trial.state.is_finished():
            return
        value = row.get(self._proposed.objective)
        if value is None:
            self._study.tell(row["trial"], state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(row["trial"], float(value))

    def _sampler(self, *use: str | int) -> Any:
        seed = derive(self._proposed.seed, *use) % 2**32
        samplers = self._optuna.samplers
        match self._proposed.sampler:
            case "tpe":
                return samplers.TPESampler(seed=seed, constant_liar=self._proposed.parallel > 1)
            case "cmaes":
                return optuna_study.cmaes(seed)
            case "qmc":
                # One sequence for the whole sweep: the trial's number says where in it.
                return samplers.QMCSampler(seed=derive(self._proposed.seed, "qmc") % 2**32, scramble=True, warn_independent_sampling=False)
            case "random":
                return samplers.RandomSampler(seed=seed)
