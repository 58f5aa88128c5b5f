"""The stages of a real search: task, body, engine, planner, sandbox, critic, writer, clips.

Flows in: a RunConfig. Flows out: what each stage of an iteration makes. All is built once a process and shared by all iterations; nothing
of it carries a result from one episode to the next.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner, Rollout
from movlr_jax.critics import offline
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Preference
from movlr_jax.errors import BadFile, MovlrError
from movlr_jax.evaluation import clip_curve, filming, gait_study, reward_texts
from movlr_jax.facts import Facts, Seen
from movlr_jax.feedback.feedback import Feedback
from movlr_jax.llm.gateway import Gateway
from movlr_jax.media import clip, heatmaps, report
from movlr_jax.morphologies.joint_directions import directions
from movlr_jax.physics import engines
from movlr_jax.rewards import packaged
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.rewards.parameters import moved
from movlr_jax.rewards.program import literal_parameters
from movlr_jax.rewards.reward import Reward
from movlr_jax.rewards.vocabulary import vocabulary
from movlr_jax.runs import permissions
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import read_arrays
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.sandbox.proof import Proof, Verdict
from movlr_jax.sandbox.prove import Prover
from movlr_jax.searches.stages import Arrays, Json, Judged, Trusted
from movlr_jax.tasks import facts, gates, metric_registry, metrics
from movlr_jax.tuning import weight_study
from movlr_jax.vision.clip_reward import ClipReward
from movlr_jax.vision.encoder import TransformersEncoder
from movlr_jax.writers.base import Draft, WriteRequest

Films = Callable[[Arrays, Path], bool]

# Every so many instants of an archived motion are shown to a new reward.
_ARCHIVE_STRIDE = 5


def find_start(name: str, task: tasks.Task) -> Draft:
    """Return the reward that `start_reward` names: the task's own, a file, or the best of a run.

    Raises:
        MovlrError: there is no such reward.
    """
    return Draft(reward_texts.find(name, [task]).source, name=name)


class RealStages:
    """The stages of a real search.

    Args:
        config: the run's configuration, settled by its method.
        gateway: through which critics and writers ask their models.
        films: writes the clip of an episode that was filmed before, and says whether it did; None: every episode is drawn.

    Raises:
        MovlrError: a name in the configuration stands for nothing, or something that the run needs is missing.
    """

    def __init__(self, config: RunConfig, gateway: Gateway, films: Films | None = None):
        self.config, self.gateway, self.films = config, gateway, films
        task = permissions.task(config.task)
        if task.name == "free" and not (config.goal or "").strip():
            raise MovlrError("The task free needs a sentence: add --goal 'raise the left knee'.")
        self.task = task.configured(config.goal, config.seconds, config.goal_speed)
        if config.tune.trials:
            weight_study.require(config.tune.sampler)
        self.feedback = Feedback(config, gateway)
        self.eye = ClipReward(TransformersEncoder(config.clip.weights), config.clip, self.task.sentence) if config.clip.weights else None
        self.engine, self.engine_reason = engines.choose(config.engine)
        self.morphology = task.load(config.morphology, config.injury)
        self.layout = feature_layout(self.morphology)
        self.goal, self.vocabulary = self.task.sentence, vocabulary(self.layout, directions(self.morphology))
        self.runner = EpisodeRunner.build(
            self.morphology,
            self.task.settled(config.planner, self.morphology),
            self.engine,
            threads=config.threads,
            episodes=config.candidates * len(config.seeds),
            mjx=config.mjx,
        )
        self.planning = self.runner.planner.words()
        self.prover = Prover(self.layout, lying=self.task.lies)
        # Made while the spare jail warms up in its own process.
        self.motions = behaviour_motions.generate(self.morphology, self.task.goal_speed)
        self._compiled: dict[str, Reward] = {}
        self._curves: dict[bytes, np.ndarray] = {}

    def header(self) -> dict[str, Any]:
        """Return what summary.json says of the run as a whole."""
        return {
            "task": self.task.name,
            **self.task.document(self.layout),
            "goal_speed_mps": self.task.goal_speed,
            "seconds": self.task.seconds,
            "morphology": self.morphology.name,
            "engine": self.engine,
            "method": self.config.method,
            **({"task_sha256": self.task.code_sha256} if self.task.code_sha256 else {}),
        }

    def start(self) -> Draft:
        """Return the reward of iteration 0, where it does not stand in the run's folder already.

        Raises:
            MovlrError: it is none of the task's: a folder's configuration is not asked for files that stand elsewhere.
        """
        if self.config.start_reward not in self.task.rewards:
            raise MovlrError(f"The run holds no copy of its start reward, {self.config.start_reward}: start it again with `movlr run`.")
        return find_start(self.config.start_reward, self.task)

    def write(self, request: WriteRequest) -> Draft:
        """Have the writer edit the best reward."""
        return self.feedback.write(request)

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        """Compile a text of this package here; put any other through the sandbox."""
        if packaged.is_own(draft.source):
            reward = Reward.trusted(draft.name, draft.source, self.layout)
            self._remember(draft.source, reward)
            return Proof(Verdict.of_package(reward), reward)
        self.prover.motions = dataclasses.replace(self.motions, archived=tuple(self._archived(judged) for judged in archive))
        proof = self.prover.prove(draft.source, draft.name)
        if proof.reward is not None:
            self._remember(draft.source, proof.reward)
        return proof

    def _archived(self, judged: Judged) -> tuple[float, np.ndarray]:
        """Return a motion's score and its features, thinned: a ranking needs no more."""
        instants = self._episode(read_arrays(judged.rollout)).instants
        before = np.concatenate([instants[:1], instants[:-1]])
        return judged.score, np.concatenate([instants, before], axis=1)[::_ARCHIVE_STRIDE]

    def _reward(self, trusted: Trusted) -> Reward:
        """Return the compiled reward; the seeds of one candidate share it.

        What was proven by an earlier process is proven again from its text: the folder may have been anywhere since, and neither an
        artifact nor a verdict in it is believed.
        """
        if trusted.source not in self._compiled:
            if packaged.is_own(trusted.source):
                reward = Reward.trusted(trusted.name, trusted.source, self.layout)
            else:
                self.prover.motions = self.motions
                proof = self.prover.prove(trusted.source, trusted.name)
                if proof.reward is None:
                    raise MovlrError(f"The reward in {trusted.folder} is refused now: {proof.verdict.reason} Start the run again.")
                reward = proof.reward
            self._remember(trusted.source, reward)
        return self._compiled[trusted.source]

    def _remember(self, source: str, reward: Reward) -> None:
        """Keep what this process proved while an iteration may ask for it: each candidate as written and as tuned, and the best."""
        self._compiled[source] = reward
        for old in list(self._compiled)[: -2 * self.config.candidates - 2]:
            del self._compiled[old]

    def _weighed(self, trusted: Trusted) -> Reward:
        """Return the compiled reward under the weights and parameters that are asked for, which may be others than its text's."""
        reward = self._reward(trusted)
        own = reward.weight_of()
        changed = {term: weight for term, weight in trusted.weights.items() if float(np.float32(weight)) != own[term]}
        reward = reward.with_weights(changed) if changed else reward
        return reward.with_parameters(trusted.parameters) if trusted.parameters else reward

    @property
    def side_by_side(self) -> int:
        """How many episodes `move` runs at the same time."""
        return self.runner.simulator.episodes

    def move(self, jobs: Sequence[tuple[Trusted, int]], advanced: Callable[[float], None]) -> list[Arrays]:
        """Run episodes, all at the same time."""
        ran = self.task.episodes(self.runner, [(self._weighed(trusted), seed) for trusted, seed in jobs], progress=advanced)
        return [rollout.arrays() for rollout in ran]

    def measure(self, rollout: Arrays) -> Json:
        """Return one episode's metrics."""
        record = self.task.measure(self.morphology, self._episode(rollout))
        if self.eye is not None:
            record["clip_score"] = self.eye.score(self._curve(rollout))
        return record

    def _episode(self, arrays: Arrays) -> Rollout:
        """Return an episode, which must be one of this body.

        Raises:
            BadFile: it is none.
        """
        rollout, model = Rollout.from_arrays(arrays), self.morphology.model
        widths = {"qpos": model.nq, "qvel": model.nv, "act": model.na, "instants": self.layout.size}
        wrong = next((name for name, width in widths.items() if getattr(rollout, name).shape[1:] != (width,)), "")
        if wrong:
            raise BadFile(f"An episode of this run is none of {self.morphology.name} (its {wrong}): delete its rollout.npz and resume.")
        return rollout

    def _curve(self, rollout: Arrays) -> np.ndarray:
        """Return CLIP's curve of an episode; measuring and describing share it."""
        assert self.eye is not None
        key = hashlib.sha256(rollout["qpos"].tobytes()).digest()
        if key not in self._curves:
            self._curves[key] = clip_curve.curve(self.eye, self.morphology, self._episode(rollout))
        return self._curves[key]

    def summarize(self, episodes: list[Json]) -> Json:
        """Return the metrics of all seeds, with the gates."""
        summary = metrics.summarize([dict(e) for e in episodes])
        passed = self.task.gates(summary)
        if self.config.clip.weights and self.config.clip.gate > -1.0:
            passed = dataclasses.replace(passed, looks=summary["mean"]["clip_score"] >= self.config.clip.gate)
        return {**summary, "gates": passed.document()}

    def describe(self, reward: Trusted, rollouts: list[Arrays], summary: Json) -> Facts:
        """Return the facts: the first seed's motion in detail, then the worst's and the best's of several; the metrics of all."""
        described = self._described(reward, rollouts, summary)
        if len(rollouts) > 1:
            alone = [
                (episode["seed"], self._described(reward, [rollout], self.summarize([episode])))
                for rollout, episode in zip(rollouts, summary["episodes"], strict=True)
            ]
            described = described.with_extremes([(seed, told, self._place(told)) for seed, told in alone])
        self._curves.clear()
        return described

    def _described(self, reward: Trusted, rollouts: list[Arrays], summary: Json) -> Facts:
        """Return the facts of the first of some episodes, with the metrics of all."""
        first = self._episode(rollouts[0])
        described = facts.describe(
            first.instants,
            self.layout,
            task=self.task.name,
            goal=self.task.sentence,
            goal_speed_mps=self.task.goal_speed if self.task.walks else None,
            metrics=summary["mean"],
            episodes=summary["episodes"],
            terms=first.terms,
            term_names=first.term_names,
            weights=[float(w) for w in first.weights],
            term_classes=self.classes(reward),
            seconds=self.task.seconds,
            spread=first.spread,
            parameters=moved(literal_parameters(reward.source), reward.parameters),
            **self.task.goal_facts(self.morphology),
        )
        if self.eye is None:
            return described
        return described.model_copy(update={"clip": Seen.model_validate(self.eye.facts([self._curve(rollout) for rollout in rollouts]))})

    def _place(self, episode: Facts) -> tuple[float, ...]:
        """Return the place of one episode among the others of its reward, by the one order."""
        judged = gates.read(self.summarize([episode.metrics.root]))
        metric = metric_registry.metric(self.task.metric)
        return gates.place(judged, episode.metrics.number(metric.name), self.score(episode), metric.sign)

    def score(self, facts: Facts) -> float:
        """Return the documented score of `critics.offline`, or CLIP's where the method goes by it."""
        if not self.feedback.method.looks:
            return offline.score(facts)
        assert facts.clip is not None  # a method that looks has CLIP's weights
        return facts.clip.score

    def classes(self, reward: Trusted) -> Mapping[str, str]:
        """Return each term's class; "custom" where the library does not know it."""
        return {t: LIBRARY[t].term_class if t in LIBRARY else "custom" for t in reward.weights}

    def film(self, rollout: Arrays, path: Path) -> None:
        """Write the clip of one episode, without a word on which it is: what critics compare is told apart by the motion alone."""
        if self.films is None or not self.films(rollout, path):
            show = self.config.show
            filming.film_for_critics(self.morphology, self._episode(rollout), path, show.width, show.fps, show.front)

    def critique(self, motion: Evidence, earlier: Json | None) -> Json:
        """Have the critic judge one motion."""
        return self.feedback.critique(motion, earlier)

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, Sequence[Json]]:
        """Have the critic compare two motions, in both orders."""
        return self.feedback.compare(a, b)

    def illustrate(self, folder: Path) -> None:
        """Draw the heat maps, the best's gait and the report."""
        heatmaps.draw_all(folder, muscles=self.layout.muscles, groups=self.layout.muscle_groups)
        gait_study.illustrate(folder, self.morphology)
        report.write_report(folder)

    def close(self) -> None:
        """End the jail's spare and the drawing contexts."""
        self.prover.close()
        clip.close_studios()
