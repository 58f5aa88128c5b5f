"""The steps of an iteration up to its decision: each makes one product of the run's folder, from what the steps before it left there.

Flows in: a step of `state`, the stages. Flows out: the product, on the disk. Nothing is kept between two steps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.critics.base import Background, Evidence
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts
from movlr_jax.feedback import confidence, judging
from movlr_jax.media import next_steps
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import Candidate, RunFolder, read_arrays
from movlr_jax.searches import archive, memory, state
from movlr_jax.searches.inner_tuning import InnerTuner
from movlr_jax.searches.pairing import OF_ALL, Pairs, Side, compared
from movlr_jax.searches.racer import Racer
from movlr_jax.searches.stages import Begun, Judged, Stages, Trusted, measured, trusted
from movlr_jax.seeds import derive
from movlr_jax.tasks import gates
from movlr_jax.writers.base import Draft, NothingLeft, WriteRequest

# (iteration, caption -> its clip, its critique) -> what a person advises, or "".
Advisor = Callable[[int, Mapping[str, Path], Mapping[str, Any]], str]


class Steps:
    """Makes the products of one run.

    Args:
        folder: the run's folder.
        config: its configuration.
        stages: what does the work.
        report: reports an event by its kind and iteration, with more fields by name.
        advisor: asks a person, or None where nobody can be asked.
    """

    def __init__(self, folder: RunFolder, config: RunConfig, stages: Stages, report: Callable[..., None], advisor: Advisor | None = None):
        self.folder, self.config, self.stages, self.advisor = folder, config, stages, advisor
        self._report = report
        self._tuner = InnerTuner(config, stages)
        self._racer = Racer(folder, config, stages, report)
        self._pairs = Pairs(folder, config, stages)

    def _candidate(self, step: Any) -> Candidate:
        return self.folder.iteration(step.iteration).candidate(step.candidate)

    def write(self, step: state.Write) -> None:
        """Have a text written."""
        candidate = self._candidate(step)
        given_up = ""
        if step.iteration == 0:
            draft = self.stages.start()
        else:
            try:
                draft = self.stages.write(self._request(step, candidate))
            except NothingLeft as nothing:
                draft, given_up = Draft("", name=f"iteration {step.iteration}"), str(nothing)
        if draft.builds_on is None:
            draft = dataclasses.replace(draft, builds_on=self.folder.best())
        candidate.record_calls(f"write-{step.attempt:02d}", draft.calls)
        candidate.save_draft(step.attempt, draft, given_up)

    def _request(self, step: state.Write, candidate: Candidate) -> WriteRequest:
        best = self.folder.best()
        if best is None:
            raise MovlrError(f"Iteration 0 of {self.folder.path} left no reward to edit: start the run again.")
        source = self.folder.chosen(best)
        refusals = candidate.refusals()
        written = candidate.read_draft(step.attempt - 1) if step.attempt else None
        siblings = [self.folder.iteration(step.iteration).candidate(k) for k in range(step.candidate)]
        facts, rows, programs = self._facts(source), self.folder.rows(), self.folder.programs()
        reasons = [_reason(refusal) for refusal in refusals]
        return WriteRequest(
            goal=self.stages.goal,
            vocabulary=self.stages.vocabulary,
            planning=self.stages.planning,
            iteration=step.iteration,
            candidate=step.candidate,
            candidates=self.config.candidates,
            attempt=step.attempt,
            seed=derive(self.config.seed, "write", step.iteration, step.candidate, step.attempt),
            best_source=source.text(),
            best_weights=facts.weights,
            facts=facts,
            critique=source.critique(),
            advice=self._advice(best),
            history=tuple(record for row in rows for record in row.tried),
            failed=memory.failed(self.folder, best, programs) if self.config.show_failed else (),
            elites=archive.elites(self.folder, programs) if self.config.show_failed else (),
            best=best,
            programs=programs,
            siblings=tuple(s.text() for s in (sibling.as_written for sibling in siblings) if s.proven),
            sibling_edits=tuple(drafts[-1]["edit"] for s in siblings if (drafts := s.drafts())),
            refusal=reasons[-1] if reasons else None,
            earlier_refusals=tuple(reasons[:-1]),
            refused_source=written["source"] if written else None,
            clip=self._evidence(source, "").of_worst().clip,
            clips=source.clips(),
        )

    def _advice(self, best: int) -> str:
        """Return what a person said of the best motion and of those since, each with the motion it is about."""
        advice = []
        for row in self.folder.rows()[best:]:
            chosen = self.folder.iteration(row.iteration).chosen()
            sentence = "" if chosen is None else chosen.critique().advice
            if sentence:
                which = "" if row.iteration == best else f"Of the motion of iteration {row.iteration}, which was not kept: "
                advice.append(which + sentence)
        return " ".join(advice)

    def prove(self, step: state.Prove) -> None:
        """Have a text proven, or save why it is refused."""
        candidate = self._candidate(step)
        raw = candidate.read_draft(step.attempt)
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
        self._report("refused", step.iteration, stage="prove", candidate=step.candidate, message=str(verdict.get("sentence", "")))

    def _archive(self) -> list[Judged]:
        """Return the motions of the closed iterations, oldest first."""
        closed = [(row, self.folder.iteration(row.iteration).chosen()) for row in self.folder.rows()]
        first = self.config.seeds[0]
        return [Judged(row.score, chosen.rollout(first)) for row, chosen in closed if chosen is not None and row.score is not None]

    def try_weights(self, step: state.Try) -> None:
        """Run the episodes of a trial of weights."""
        iteration = self.folder.iteration(step.iteration)
        rewards: dict[int, Trusted | None] = {}
        for index in dict.fromkeys(index for index, _ in step.jobs):
            candidate = iteration.candidate(index)
            written = trusted(candidate, candidate.written)
            rewards[index] = self._tuner.to_move(step.iteration, candidate, step.trial, written)
        jobs = [(index, seed) for index, seed in step.jobs if rewards[index] is not None][: self.stages.side_by_side]
        if jobs:
            places = {index: iteration.candidate(index).trial(step.trial) for index, _ in jobs}
            self._run(step.iteration, jobs, {k: r for k, r in rewards.items() if r is not None}, places, "tune", step.trial)

    def weigh(self, step: state.Weigh) -> None:
        """Measure a trial of weights."""
        candidate = self._candidate(step)
        self._tuner.weigh(step.iteration, candidate, step.trial, trusted(candidate, candidate.written))

    def settle(self, step: state.Settle) -> None:
        """Prove the text under the best weights that were tried."""
        candidate = self._candidate(step)
        name = trusted(candidate, candidate.written).name
        refused = self._tuner.settle(candidate, name, lambda draft: self.stages.prove(draft, self._archive()))
        if refused:
            message = f"The best weights are refused, the next best are proven: {refused}"
            self._report("refused", step.iteration, stage="prove", candidate=step.candidate, message=message)

    def begin(self, step: state.Begin) -> None:
        """Run the beginnings of candidates' first episodes."""
        jobs = step.jobs[: self.stages.side_by_side]
        candidates = [self.folder.iteration(step.iteration).candidate(index) for index, _ in jobs]
        advanced = self._advanced(step.iteration, "move", jobs[0], seconds=step.rung.part)
        self._racer.begin([(candidate, trusted(candidate)) for candidate in candidates], step.rung, advanced)

    def gauge(self, step: state.Gauge) -> None:
        """Measure what a candidate did at a rung of the race."""
        self._racer.gauge(self._candidate(step), step.rung)

    def eliminate(self, step: state.Eliminate) -> None:
        """Say who is eliminated at a rung of the race."""
        iteration = self.folder.iteration(step.iteration)
        out = iteration.eliminated()
        proven = (candidate for k in range(self.config.candidates) if (candidate := iteration.candidate(k)).proven)
        self._racer.eliminate(step.iteration, step.rung, [candidate for candidate in proven if candidate.index not in out])

    def move(self, step: state.Move) -> None:
        """Run the episodes of the proven candidates; those that were begun go on."""
        iteration = self.folder.iteration(step.iteration)
        begun = {job: start for job in step.jobs if (start := self._racer.begun(iteration.candidate(job[0]), job[1])) is not None}
        jobs = (tuple(begun) or step.jobs)[: self.stages.side_by_side]
        candidates = {index: iteration.candidate(index) for index, _ in jobs}
        rewards = {index: trusted(candidate) for index, candidate in candidates.items()}
        self._run(step.iteration, jobs, rewards, candidates, "move", begun=[begun[job] for job in jobs] if begun else None)

    def extend(self, step: state.Extend) -> None:
        """Run the episodes of a further seed, of the chosen candidate and the best."""
        best = self.folder.best()
        assert best is not None
        jobs = step.jobs[: self.stages.side_by_side]
        sides = {of_best: self.folder.chosen(best) if of_best else self._candidate(step) for of_best, _ in jobs}
        advanced = self._advanced(step.iteration, "move", (step.candidate, jobs[0][1]))
        rollouts = self.stages.move([(trusted(sides[of_best]), seed) for of_best, seed in jobs], advanced)
        for (of_best, seed), arrays in zip(jobs, rollouts, strict=True):
            atomic.write_npz(sides[of_best].extra(seed), arrays)

    def pair(self, step: state.Pair) -> None:
        """Set the chosen candidate and the best beside each other, seed by seed."""
        self._pairs.pair(step.iteration, self._candidate(step), step.extra)

    def _run(
        self,
        number: int,
        jobs: Sequence[tuple[int, int]],
        rewards: Mapping[int, Trusted],
        places: Mapping[int, Candidate],
        stage: str,
        trial: int | None = None,
        begun: Sequence[Begun] | None = None,
    ) -> None:
        """Run episodes of (candidate, seed) side by side, or go on with what was begun, and save each in its candidate's place."""
        advanced = self._advanced(number, stage, jobs[0], trial=trial)
        if begun is None:
            rollouts = self.stages.move([(rewards[index], seed) for index, seed in jobs], advanced)
        else:
            rollouts = self.stages.go_on([(rewards[index], start) for (index, _), start in zip(jobs, begun, strict=True)], advanced)
        for (index, seed), arrays in zip(jobs, rollouts, strict=True):
            atomic.write_npz(places[index].rollout(seed), arrays)

    def _advanced(self, number: int, stage: str, job: tuple[int, int], **more: Any) -> Callable[[float], None]:
        """Report that episodes begin, of which the first is (candidate, seed), and return what reports how far they are (s)."""
        fields: dict[str, Any] = {"stage": stage, "candidate": job[0], "seed": job[1], **more}
        self._report("stage", number, **fields)
        return lambda seconds: self._report("simulated", number, simulated_s=seconds, **fields)

    def measure(self, step: state.Measure) -> None:
        """Measure a candidate's episodes."""
        candidate = self._candidate(step)
        self._racer.forget(candidate)
        rollouts = [read_arrays(candidate.rollout(seed)) for seed in self.config.seeds]
        facts, metrics = measured(self.stages, trusted(candidate), rollouts)
        atomic.write_json(candidate["facts.json"], facts.to_json())
        atomic.write_json(candidate["metrics.json"], metrics)

    def _measured(self, number: int) -> list[Candidate]:
        count = self.config.candidates if number else 1
        return [c for c in (self.folder.iteration(number).candidate(k) for k in range(count)) if c.has("metrics.json")]

    def choose(self, step: state.Choose) -> None:
        """Choose the candidate that goes on."""
        iteration = self.folder.iteration(step.iteration)
        left, out = self._measured(step.iteration), iteration.eliminated()
        index, reason = judging.choose([(c.index, c.metrics()) for c in left])
        if out and not left:
            reason = f"No program was left in the race: {next(reversed(out.values()))['reason']}"
        elif out and len(left) == 1:
            reason = "It was the only one left in the race."
        atomic.write_json(iteration["choice.json"], {"candidate": index, "reason": reason})

    def _facts(self, candidate: Candidate) -> Facts:
        """Return a candidate's facts; of several episodes an earlier version told the first in detail, and did not say so."""
        facts, seeds = candidate.facts(), self.config.seeds
        return facts.model_copy(update={"seed": seeds[0]}) if facts.seed is None and len(seeds) > 1 else facts

    def _evidence(self, candidate: Candidate, name: str, over: Side | None = None) -> Evidence:
        """Return a candidate's motion as critics see it; over more seeds than the run's own, with the metrics of all."""
        clips, facts = candidate.clips(), self._facts(candidate)
        if over is not None:
            facts = facts.model_copy(update={name: getattr(over.facts, name) for name in OF_ALL})
        return Evidence(facts, clips.get(self.config.seeds[0]), name, clips)

    def film(self, step: state.Film) -> None:
        """Film the chosen candidate's episodes that critics are shown."""
        candidate = self._candidate(step)
        try:
            for seed in candidate.unfilmed():
                with atomic.replacing(candidate.clip(seed)) as partial:
                    self.stages.film(read_arrays(candidate.rollout(seed)), partial)
        except MovlrError as error:
            # A machine that cannot draw still searches; a critic that needs the clip says so itself.
            atomic.write_json(candidate["no_clip.json"], {"sentence": str(error)})
            self._report("warning", step.iteration, stage="film", message=f"There is no clip: {error}")

    def _background(self, candidate: Candidate, best: int | None) -> Background:
        """Return what is known of a motion's reward: its text, the edit that made it, and what was said before that."""
        draft = candidate.drafts()[-1]
        if best is None:
            return Background(candidate.text(), start=True)
        said = self.folder.chosen(self.folder.base(draft, best)).critique()
        # What stands for a judgement that was not given is another motion's.
        return Background(candidate.text(), draft["edit"], draft["rationale"], None if said.unjudged else said)

    def critique(self, step: state.Critique) -> None:
        """Have the chosen candidate's motion judged."""
        candidate, best = self._candidate(step), self.folder.best()
        earlier = None if best is None else self.folder.chosen(best).read("critique.json")
        motion = dataclasses.replace(self._evidence(candidate, f"iteration {step.iteration}"), background=self._background(candidate, best))
        critique = dict(self.stages.critique(motion, earlier))
        candidate.record_calls("critique", critique.pop("calls", None))
        # A person may take hours, and the critique may have been paid for: it is saved before the question.
        atomic.write_json(candidate["unadvised.json" if self.config.ask else "critique.json"], critique)

    def advise(self, step: state.Advise) -> None:
        """Take a person's advice on it."""
        candidate = self._candidate(step)
        critique, advice = candidate.read("unadvised.json"), ""
        # A run that was begun with --ask may go on without it.
        if self.config.ask:
            if self.advisor is None:
                raise MovlrError(
                    "This run asks for advice, and there is nobody to ask: go on in a terminal with "
                    f"`{next_steps.resume(self.folder.path)}`, or without advice by adding --ask False."
                )
            facts, clips = self._facts(candidate), candidate.clips()
            captions = {seed: facts.caption(seed) if len(self.config.seeds) > 1 else "" for seed in clips}
            advice = self.advisor(step.iteration, {captions[seed]: clip for seed, clip in clips.items()}, critique).strip()
        atomic.write_json(candidate["critique.json"], {**critique, "advice": advice})

    def decide(self, step: state.Decide) -> None:
        """Decide whether it becomes the best."""
        iteration = self.folder.iteration(step.iteration)
        candidate, best = iteration.candidate(step.candidate), self.folder.best()
        if best is None:
            decision = judging.Decision(True, "first", "It is the first.")
        else:
            best_candidate = self.folder.chosen(best)
            new, old = self._pairs.sides(iteration, candidate, best_candidate)
            by_gates = judging.gates_decide(gates.read(new.metrics), gates.read(old.metrics))
            if by_gates is not None:
                decision = by_gates
            else:
                preference, calls = self.stages.compare(
                    self._evidence(candidate, f"iteration {step.iteration}", new),
                    self._evidence(best_candidate, f"iteration {best}, the best so far", old),
                )
                candidate.record_calls("prefer", calls)
                decision = judging.settle(new.metrics, old.metrics, preference)
        record: dict[str, Any] = {"kept": decision.kept, "by": decision.by, "reason": decision.reason, "against": best}
        if pairings := iteration.pairings():
            differences, scale = compared(pairings[-1]["scores"], pairings[-1]["best_scores"])
            sure = confidence.better(differences, scale) if decision.by in ("preference", "score") else None
            record |= {"confidence": sure, "seeds": pairings[-1]["seeds"]}
        atomic.write_json(iteration["decision.json"], record)


def _reason(verdict: Mapping[str, Any]) -> str:
    """Return a refusal as its writer reads it."""
    line = verdict.get("line")
    return f"{verdict.get('sentence', 'refused')}" + (f" (line {line})" if line else "")
