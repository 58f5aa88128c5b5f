"""Task: what is asked of a body, how an episode starts and ends, and how it is measured."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from movlr_jax import goals
from movlr_jax.control.episode import EpisodeRunner, Job, Rollout, Start
from movlr_jax.control.planners import Planner
from movlr_jax.errors import MovlrError
from movlr_jax.goals import Goal
from movlr_jax.morphologies import FLAT, Morphology, Scene, Strength, catalog, root, standing
from movlr_jax.morphologies.scene import injury_words, parse_injuries
from movlr_jax.physics.instant import NO_TARGET, Frame
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import falls, gates, goal_metrics, metrics
from movlr_jax.tasks.falls import FallRule
from movlr_jax.tasks.gates import Gates

_START_NOISE = 0.01  # share of each joint's range by which the start varies with the seed


@dataclass(frozen=True)
class Task:
    """A task. One file each; the registry is in `movlr_jax.tasks`.

    Attributes:
        name: registry name.
        sentence: the goal in words, which critic and writer are given.
        goal_speed: default speed asked for (m/s).
        seconds: default length of an episode (s).
        walks: whether distance counts: the gate "moved" and the critic's progress faults apply only then.
        stands: whether the body must stand: it then has feet.
        scene: the ground, and injuries that belong to the task.
        morphologies: bodies it is meant for, the first is its default; empty: any that walks upright, by default the embedded one.
        heading: forward of the task's frame, relative to where the body faces at the start, positive to the left (rad).
        metric: the metric that tells how well it was done, which tables of many tasks show.
        rewards: name -> reward program text: "start" and "human" at least.
        notes: what the named rewards are, for people.
        ends_as: what an episode is called that ends before its time.
        origin: of a user's own task the word that it is found by from any folder (`movlr_jax.tasks.own`); empty: it is in the registry.
        code_sha256: of a user's own task the hash of its file.
        fall: what of a motion is a fall.
        spoken: the sentence is a user's: what is measured, and what a fall is, follows from it.
    """

    name: str
    sentence: str
    goal_speed: float
    seconds: float
    walks: bool
    rewards: dict[str, str]
    notes: dict[str, str] = field(default_factory=dict)
    scene: Scene = FLAT
    morphologies: tuple[str, ...] = ()
    heading: float = 0.0
    metric: str = "distance_m"
    ends_as: str = "fell"
    fall: FallRule = falls.LOWERED
    spoken: bool = False
    origin: str = ""
    code_sha256: str = ""
    stands: bool = True

    @property
    def word(self) -> str:
        """The word that names the task on a command line."""
        return self.origin or self.name

    def configured(self, goal: str | None = None, seconds: float | None = None, goal_speed: float | None = None) -> Self:
        """Return the task as it is asked for; what is None or "" stays the task's own.

        Args:
            goal: a user's sentence, as `with_sentence`.
            seconds: length of its episodes (s).
            goal_speed: speed to aim for (m/s).
        """
        return replace(
            self.with_sentence(goal),
            seconds=self.seconds if seconds is None else seconds,
            goal_speed=self.goal_speed if goal_speed is None else goal_speed,
        )

    def with_sentence(self, sentence: str | None) -> Self:
        """Return the task with a user's sentence, by which it is measured and its episodes end; itself for "", None and its own.

        What the task asks for by itself (a way to go) stays beside it.
        """
        sentence = (sentence or "").strip()
        if sentence in ("", self.sentence):
            return self
        task = replace(self, sentence=sentence, spoken=True, fall=falls.of(goals.read(sentence)))
        return replace(task, metric=goals.REACHED) if task.meaning.parts else task

    @property
    def meaning(self) -> Goal:
        """What of the sentence is measured beside the way that the task asks to go."""
        goal = goals.read(self.sentence)
        return goal.without("not_walking") if self.walks else goal

    @property
    def by_sentence(self) -> bool:
        """Whether episodes are measured by the words of the sentence; a task with a way to go has a measure of its own."""
        return self.spoken or not self.walks

    @property
    def lies(self) -> bool:
        """Whether the body is asked to lie down."""
        return self.meaning.asks("not_lying")

    def lacking(self, layout: FeatureLayout) -> tuple[str, ...]:
        """Return the metrics of the sentence that a body lacks the landmarks for."""
        return goal_metrics.lacking(self.meaning, layout) if self.by_sentence else ()

    def measures(self, layout: FeatureLayout | None = None) -> list[str]:
        """Say what of the sentence is measured, and what is not, a sentence each; nothing for a task with a measure of its own.

        Args:
            layout: of the body, which may lack a landmark.
        """
        if not self.by_sentence:
            return []
        own = [f"mean speed along the way at least {self.goal_speed:g} m/s"] if self.walks else []
        return self.meaning.measures(() if layout is None else self.lacking(layout), own)

    def document(self, layout: FeatureLayout | None = None) -> dict[str, Any]:
        """Return what a document of episodes says of the goal: "goal", "goal_measures" (a sentence each) and "ends_when"."""
        return {"goal": self.sentence, "goal_measures": self.measures(layout), "ends_when": self.ends_when()}

    def goal_facts(self, morphology: Morphology) -> dict[str, Any]:
        """Return what `facts.describe` has to know of the goal: fall_rule, spoken, lacking."""
        lacking = self.lacking(feature_layout(morphology))
        return {"fall_rule": self.fall_of(morphology), "spoken": self.spoken, "lacking": lacking}

    def ends_when(self) -> str:
        """Say when an episode ends before its time, in one sentence."""
        return f"A fall, which ends an episode: {self.fall.words()}."

    def load(self, morphology: str | None = None, injuries: Sequence[str] = ()) -> Morphology:
        """Return a body prepared for this task.

        Args:
            morphology: catalog name or YAML file; the task's default if left out.
            injuries: PATTERN=FRACTION, beside those that belong to the task.

        Raises:
            MovlrError: the body is not known, not on this machine, cannot do what the task asks for, or an injury does not suit it.
        """
        name = morphology or (self.morphologies[0] if self.morphologies else catalog.DEFAULT)
        body = catalog.load(name, replace(self.scene, injuries=(*self.scene.injuries, *parse_injuries(injuries))))
        self._require(body)
        return body

    def prepared(self, morphology: Morphology | str | None = None, injuries: Sequence[str] = ()) -> Morphology:
        """Return a body prepared for this task.

        Args:
            morphology: a prepared body, whose own injuries stay, whatever scene it was prepared in; or as `load`.
            injuries: as `load`.

        Raises:
            MovlrError: as `load`.
        """
        if not isinstance(morphology, Morphology):
            return self.load(morphology, injuries)
        own = tuple(injury for injury in morphology.scene.injuries if injury not in self.scene.injuries)
        if morphology.word:
            return self.load(morphology.word, (*injury_words(own), *injuries))
        if injuries or replace(morphology.scene, injuries=()) != replace(self.scene, injuries=()):
            raise MovlrError(
                f"{morphology.name} was not prepared for the scene of the task {self.name}: load it by name, or from its file."
            )
        self._require(morphology)
        return morphology

    def _require(self, body: Morphology) -> None:
        """Refuse a body that cannot do what the task asks for: stand, turn, or stay where it is fixed."""
        if self.stands and body.fixed:
            raise MovlrError(
                f"The task {self.name} is for a body that stands, and {body.name} is fixed to the world: use the task move, or name a body "
                "with feet."
            )
        if not self.stands and not body.fixed:
            raise MovlrError(f"The task {self.name} is for a body that is fixed to the world, and {body.name} stands: use the task free.")
        if self.heading and not root.turns(body.model, body.top):
            raise MovlrError(f"The task {self.name} asks for a turn, and {body.name} moves in one plane: use walk_flat, or another body.")

    def start(self, morphology: Morphology, seed: int) -> Start:
        """Return the seeded start: the settled standing pose with planned joints varied by up to 1 % of their range, somewhere on the
        terrain."""
        space = morphology.posture
        rng = np.random.default_rng(np.random.SeedSequence([seed, 0x57A7]))
        posture = space.read(morphology.standing_qpos) + rng.uniform(-_START_NOISE, _START_NOISE, space.size) * space.range
        qpos, origin = space.complete(posture, morphology.standing_qpos), standing.reached(morphology, morphology.terrain.start(rng))
        return Start(standing.placed(morphology, qpos, origin), morphology.standing_act.copy(), origin)

    def target(self, seed: int) -> tuple[float, ...]:
        """Return where an object is wanted in the episode of a seed: position (m) and quaternion, world axes; without one, nowhere."""
        return NO_TARGET

    def frame(self, start: Start, goal_speed: float | None = None, seed: int = 0) -> Frame:
        """Return the frame and goal of an episode: origin below the start, forward along the task's heading (bodies start facing +x)."""
        return Frame(start.origin, self.heading, (self.goal_speed if goal_speed is None else goal_speed, 0.0))

    def settled(self, planner: Planner, morphology: Morphology) -> Planner:
        """Return a planner with what it leaves to the task: the terminal value `auto`."""
        return planner.for_walking(self.walks and not feature_layout(morphology).missing_feet)

    def over(self, morphology: Morphology) -> Callable[[Any], Any]:
        """Return the test that ends episodes, of instants [..., f] of numpy or jax.numpy: the task's `fall`; a fixed body cannot fall."""
        return functools.partial(self.fall_of(morphology).over, feature_layout(morphology))

    def fall_of(self, morphology: Morphology) -> FallRule:
        """Return what a fall is for a body."""
        return FallRule(low=0.0) if morphology.fixed else self.fall

    def fallen(self, morphology: Morphology) -> Callable[[np.ndarray], bool]:
        """Return the test of `over` for one instant [f]."""
        over = self.over(morphology)
        return lambda instant: bool(over(np.asarray(instant, np.float64)))

    def episode(
        self,
        runner: EpisodeRunner,
        reward: Reward,
        seed: int,
        *,
        seconds: float | None = None,
        goal_speed: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Rollout:
        """Run one episode; see `episodes`."""
        return self.episodes(runner, [(reward, seed)], seconds=seconds, goal_speed=goal_speed, progress=progress)[0]

    def episodes(
        self,
        runner: EpisodeRunner,
        jobs: Sequence[tuple[Reward, int]],
        *,
        seconds: float | None = None,
        goal_speed: float | None = None,
        progress: Callable[[float], None] | None = None,
        strengths: Sequence[Strength] | None = None,
    ) -> list[Rollout]:
        """Run episodes of (reward, seed), side by side where the engine does that, each from this task's start of its seed.

        Args:
            runner: the body, the engine and the planner.
            jobs: reward and seed of each.
            seconds: length (s); the task's own if left out.
            goal_speed: speed asked for (m/s); the task's own if left out.
            progress: called after each plan with the simulated time, averaged over the episodes (s).
            strengths: how strong the body is in each of them, as an injured one's `strength` says; the runner's body if left out.
        """
        morphology = runner.simulator.morphology
        planned = []
        for i, (reward, seed) in enumerate(jobs):
            start, peak_force = self.start(morphology, seed), None
            if strengths is not None:
                start, peak_force = replace(start, act=strengths[i].standing_act), strengths[i].peak_force
            planned.append(Job(reward, start, self.frame(start, goal_speed, seed), seed, peak_force))
        return runner.run_many(
            planned,
            seconds=self.seconds if seconds is None else seconds,
            fallen=self.fallen(morphology),
            ends_as=self.ends_as,
            progress=progress,
        )

    def measure(self, morphology: Morphology, rollout: Rollout) -> dict[str, Any]:
        """Return the episode's metric record; where it is measured by the sentence, with the numbers of `goal_metrics`."""
        layout = feature_layout(morphology)
        record = metrics.measure(morphology, rollout)
        if not self.by_sentence:
            return record
        distance = rollout.goal_speed * rollout.seconds
        own = (min(max(record["distance_m"] / distance, 0.0), 1.0),) if self.walks and distance > 0 else ()
        return record | goal_metrics.measure(self.meaning, layout, rollout, own)

    def gates(self, summary: Mapping[str, Any]) -> Gates:
        """Return the gates of an evaluation: a body that is asked to walk has to go a part of the way at least.

        Args:
            summary: what `metrics.summarize` says of its episodes.
        """
        mean = summary["mean"]
        moved = gates.went(mean["distance_m"], self.goal_speed * min(self.seconds, mean["seconds"])) if self.walks else None
        return gates.of_episodes(summary["episodes"], moved)
