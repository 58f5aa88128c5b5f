"""Facts: what was measured on a motion, as one typed record; facts.json of a run's folder is its JSON.

In: the JSON of any version (what an earlier one did not measure is absent: None, or empty), or the parts as `tasks.facts` makes them. Out:
fields for critics, writers and the search, which a misspelling cannot get past; and the same JSON again. Names end in their unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from movlr_jax.typed_record import Number, TypedRecord

Measure = bool | int | Number | None


class Measures(RootModel[dict[str, Measure]]):
    """Metrics of an episode, or their means over several, in their order: a task may have any; those that critics read have a field.

    A number that was not measured, or that is none (a time of a fall that did not happen), is None.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    def number(self, name: str) -> float | None:
        """Return a metric by its name; None where it was not measured."""
        value = self.root.get(name)
        return None if value is None else float(value)

    @property
    def fell(self) -> bool:
        """Whether the body fell, in any of the episodes."""
        return bool(self.root.get("fell"))

    @property
    def dropped(self) -> bool:
        """Whether the object was dropped, in any of the episodes."""
        return bool(self.root.get("dropped"))

    @property
    def diverged(self) -> bool:
        """Whether the simulation diverged, in any of the episodes."""
        return bool(self.root.get("diverged"))

    @property
    def seconds(self) -> float | None:
        """How long it went on (s)."""
        return self.number("seconds")

    @property
    def fall_time_s(self) -> float | None:
        """When the body fell (s)."""
        return self.number("fall_time_s")

    @property
    def distance_m(self) -> float | None:
        """The way along the walking direction (m)."""
        return self.number("distance_m")

    @property
    def lateral_drift_m(self) -> float | None:
        """The way beside it, without a sign (m)."""
        return self.number("lateral_drift_m")

    @property
    def heading_error_rad(self) -> float | None:
        """The turn away from it, without a sign (rad)."""
        return self.number("heading_error_rad")

    @property
    def mean_speed_mps(self) -> float | None:
        """Forward speed (m/s)."""
        return self.number("mean_speed_mps")

    @property
    def final_position_error_m(self) -> float | None:
        """How far the object ends from where it is wanted (m)."""
        return self.number("final_position_error_m")

    @property
    def final_orientation_error_rad(self) -> float | None:
        """How far the object ends turned from what is wanted (rad)."""
        return self.number("final_orientation_error_rad")

    @property
    def of_goal(self) -> dict[str, Measure]:
        """The metrics of the goal's words (`goals`), by name."""
        return {name: value for name, value in self.root.items() if name.startswith("goal_")}


class Signal(TypedRecord):
    """A signal over the time upright: its mean, its extreme (the largest in size, signed; or the least), and when that came (s)."""

    mean: Number
    max: Number | None = None
    min: Number | None = None
    at_s: Number = 0.0


class Posture(TypedRecord):
    """How the body held itself; directions are the pelvis's own, lifts and heights above the ground under them.

    Ratios are shares of that part's own height in standing, but for a knee's, which earlier versions told as a share of its hip's. The
    extrapolated centre of mass and its margin inside the feet are those of `movlr_jax.gait.margin`; loads are the feet's.
    """

    trunk_pitch_rad: Signal | None = None
    trunk_roll_rad: Signal | None = None
    pelvis_height_ratio: Signal | None = None
    head_height_ratio: Signal | None = None
    heading_rad: Signal | None = None
    com_ahead_of_feet_m: Signal | None = None
    com_left_of_feet_m: Signal | None = None
    extrapolated_com_ahead_of_feet_m: Signal | None = None
    extrapolated_com_left_of_feet_m: Signal | None = None
    extrapolated_com_margin_m: Signal | None = None
    left_knee_height_ratio: Signal | None = None
    left_knee_height_m: Signal | None = None
    left_foot_lift_m: Signal | None = None
    left_load_bw: Signal | None = None
    right_knee_height_ratio: Signal | None = None
    right_knee_height_m: Signal | None = None
    right_foot_lift_m: Signal | None = None
    right_load_bw: Signal | None = None


class Angle(TypedRecord):
    """A joint's angle over the time upright (deg): mean, extremes and when they came (s), and at key moments (`tasks.leg_facts`)."""

    mean: Number
    min: Number
    min_at_s: Number
    max: Number
    max_at_s: Number
    at: dict[str, Number] = Field(default_factory=dict)


class StanceWidth(TypedRecord):
    """The feet's distance across the pelvis's heading; negative where they cross (m)."""

    mean: Number
    min: Number


class Gait(TypedRecord):
    """Steps and feet over the time upright.

    From `stride_time_s` on, by the names of metrics, what the gait laboratory measured of steady strides; absent where there are none.
    """

    steps: int = 0
    left_steps: int = 0
    right_steps: int = 0
    mean_step_length_m: Number = 0.0
    step_length_asymmetry: Number = 0.0
    mean_swing_clearance_m: Number = 0.0
    stance_width_m: StanceWidth | None = None
    crossed_feet_fraction: Number = 0.0
    double_support_fraction: Number = 0.0
    flight_fraction: Number = 0.0
    max_knee_flexion_rad: dict[str, Number | None] = Field(default_factory=dict)
    knee_asymmetry: Number = 0.0
    foot_slip_mps: Number = 0.0
    stride_time_s: Number | None = None
    cadence_spm: Number | None = None
    step_width_m: Number | None = None
    stance_share: Number | None = None
    double_support_share: Number | None = None
    step_symmetry: Number | None = None
    step_time_symmetry: Number | None = None
    stance_symmetry: Number | None = None
    load_symmetry: Number | None = None
    peak_load_bw: Number | None = None
    propulsion_bw: Number | None = None
    margin_backward_m: Number | None = None
    margin_lateral_m: Number | None = None
    trunk_sway_rms_deg: Number | None = None
    touchdowns_per_stride: Number | None = None
    foot_strike_deg: Number | None = None
    toe_clearance_m: Number | None = None
    toe_drag_share: Number | None = None
    hip_range_deg: Number | None = None
    knee_loading_flexion_deg: Number | None = None
    knee_swing_flexion_deg: Number | None = None
    ankle_push_off_deg: Number | None = None
    hip_correlation: Number | None = None
    knee_correlation: Number | None = None
    ankle_correlation: Number | None = None
    cost_of_transport_j_kg_m: Number | None = None


class Smoothness(TypedRecord):
    """How evenly it moved; jerk and acceleration are the centre of mass's (m/s^3, m/s^2)."""

    joint_velocity_rms_rads: Number = 0.0
    jerk: Number = 0.0
    com_acceleration_rms: Number = 0.0
    activation_rate_rms: Number = 0.0


class Effort(TypedRecord):
    """What the muscles did; the peak muscles are those of the largest mean activation."""

    mean_squared_activation: Number = 0.0
    peak_muscles: list[str] = Field(default_factory=list)
    saturated_fraction: Number = 0.0


class Fall(TypedRecord):
    """How a fall went: when it was one, where to, and which signal left its band for good first."""

    time_s: Number
    direction: Literal["forward", "backward", "left", "right"]
    first_sign: str
    first_sign_s: Number
    lean_m: Number = 1.0


class Phase(TypedRecord):
    """A third of the time, with the means of what was followed over it."""

    name: str
    from_s: Number
    to_s: Number
    trunk_pitch_rad: Number | None = None
    trunk_roll_rad: Number | None = None
    pelvis_height_ratio: Number | None = None
    head_height_ratio: Number | None = None
    heading_rad: Number | None = None
    com_ahead_of_feet_m: Number | None = None
    com_left_of_feet_m: Number | None = None
    speed_mps: Number = 0.0
    lateral_m: Number = 0.0
    position_error_m: Number | None = None
    orientation_error_rad: Number | None = None
    joint_change: Number | None = None
    joint_speed: Number | None = None


class Course(TypedRecord):
    """How an error went."""

    start: Number
    mean: Number
    min: Number
    final: Number


class Drop(TypedRecord):
    """How an object was dropped."""

    time_s: Number
    below_start_m: Number
    from_palm_m: Number


class Thing(TypedRecord):
    """What became of the object in a hand; palm and fingers by their mean distance to its middle."""

    position_error_m: Course
    orientation_error_rad: Course
    lifted_m: Number
    speed_mps: Number
    palm_distance_m: Number
    finger_distance_m: dict[str, Number]
    dropped: Drop | None


class Joint(TypedRecord):
    """Where a planned joint of a body that is fixed to the world went (rad or m)."""

    start: Number
    end: Number
    min: Number
    max: Number


class Landmark(TypedRecord):
    """How far a landmark of such a body went, and where to."""

    path_m: Number
    shift_m: list[Number]


class Term(TypedRecord):
    """What a term of the reward did over the episode, unweighted; and its share of the weighted reward's spread.

    Attributes:
        share_of_spread: of the spread over the episode's time, which a fall blows up.
        share_among_candidates: of the spread among the motions that the planner compared, mean over its plans before any sign of a fall:
            what the term had a say by. None where the episode does not tell.
    """

    weight: Number
    term_class: str = Field(default="custom", validation_alias="class", serialization_alias="class")
    mean: Number
    std: Number
    min: Number | None = None
    max: Number | None = None
    share_of_spread: Number = 0.0
    share_among_candidates: Number | None = None

    @property
    def share(self) -> float:
        """The share by which the term had a say, as far as that is known."""
        return self.share_of_spread if self.share_among_candidates is None else self.share_among_candidates

    @property
    def shared(self) -> str:
        """What the share is of, in words."""
        return "over time" if self.share_among_candidates is None else "among candidates"


class Constant(TypedRecord):
    """A declared constant of the reward (`movlr_jax.rewards.parameters`): its value, and its range where that is known."""

    value: Number
    lowest: Number | None = None
    highest: Number | None = None


class Seen(TypedRecord):
    """What CLIP saw of the episodes: the mean score, each episode's, and the first one's curve."""

    score: Number
    scores: list[Number] = Field(default_factory=list)
    curve: list[Number] = Field(default_factory=list)
    fps: Number = 0.0
    goal: str = ""
    baseline: str = ""
    alpha: Number = 0.0
    weights: str = ""


class Extreme(TypedRecord):
    """The worst or the best of several episodes in detail, by the one order (`movlr_jax.tasks.gates`); the fields are those of `Facts`."""

    seed: int
    place: Literal["worst", "best"]
    posture: Posture = Posture()
    angles: dict[str, Angle] = Field(default_factory=dict)
    gait: Gait = Gait()
    smoothness: Smoothness = Smoothness()
    effort: Effort = Effort()
    fall: Fall | None = None
    phases: list[Phase] = Field(default_factory=list)
    object: Thing | None = None
    joints: dict[str, Joint] = Field(default_factory=dict)
    landmarks: dict[str, Landmark] = Field(default_factory=dict)


# The fields that tell of one episode.
_DETAIL = tuple(name for name in Extreme.model_fields if name not in ("seed", "place"))


class Facts(TypedRecord):
    """What was measured on a motion.

    Attributes:
        goal: the goal sentence.
        task: the task's name.
        spoken: whether the goal is a user's sentence, by which the episode is measured.
        lacking: metrics of the goal that the body lacks the landmarks for.
        goal_speed_mps: forward speed asked for; None or 0 where none is.
        seconds: length asked of an episode (s).
        metrics: means over the episodes.
        episodes: the metrics of each.
        terms: what the reward's terms did.
        parameters: the reward's declared constants; none where it declares none, or an earlier version did not tell.
        posture, angles, gait, smoothness, effort, fall, phases: one episode in detail, of a body with feet; in a run's folder the first.
        object: what became of the object, of a hand with one.
        joints, landmarks: where they went, of a body that is fixed to the world.
        clip: what CLIP saw, where it was asked.
        seed: of the episode in detail, where there are several.
        extremes: the worst and the best of several episodes in detail, in this order; empty where none is worse than another.
    """

    goal: str = ""
    task: str = ""
    spoken: bool = False
    lacking: list[str] = Field(default_factory=list)
    goal_speed_mps: Number | None = None
    seconds: Number = 0.0
    metrics: Measures = Measures({})
    episodes: list[Measures] = Field(default_factory=list)
    terms: dict[str, Term] = Field(default_factory=dict)
    parameters: dict[str, Constant] = Field(default_factory=dict)
    posture: Posture = Posture()
    angles: dict[str, Angle] = Field(default_factory=dict)
    gait: Gait = Gait()
    smoothness: Smoothness = Smoothness()
    effort: Effort = Effort()
    fall: Fall | None = None
    phases: list[Phase] = Field(default_factory=list)
    object: Thing | None = None
    joints: dict[str, Joint] = Field(default_factory=dict)
    landmarks: dict[str, Landmark] = Field(default_factory=dict)
    clip: Seen | None = None
    seed: int | None = None
    extremes: list[Extreme] = Field(default_factory=list)

    @property
    def worst(self) -> int | None:
        """The seed of the worst of several episodes; None where none is worse than another."""
        return next((extreme.seed for extreme in self.extremes if extreme.place == "worst"), None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the episodes that are told in detail, the first before the worst and the best; none where there is one episode."""
        own = () if self.seed is None else (self.seed,)
        return tuple(dict.fromkeys((*own, *(extreme.seed for extreme in self.extremes))))

    def of(self, seed: int | None) -> Facts:
        """Return the facts with the worst or the best episode in detail; as they are where the seed is neither's."""
        extreme = next((extreme for extreme in self.extremes if extreme.seed == seed), None)
        if extreme is None or seed == self.seed:
            return self
        return self.model_copy(update={name: getattr(extreme, name) for name in _DETAIL} | {"seed": seed})

    def episode(self, seed: int | None) -> Measures:
        """Return the metrics of an episode; the means where there is no list, or none of that seed."""
        return next((e for e in self.episodes if seed is not None and e.number("seed") == seed), self.metrics)

    def caption(self, seed: int) -> str:
        """Return what the episode of a seed is among several, for people: "seed 2, the worst of 3"."""
        place = next((f", the {extreme.place} of {len(self.episodes)}" for extreme in self.extremes if extreme.seed == seed), "")
        return f"seed {seed}{place}"

    def with_extremes(self, episodes: Sequence[tuple[int, Facts, tuple[float, ...]]]) -> Facts:
        """Return the facts with the worst and the best of several episodes in detail.

        Args:
            episodes: seed, facts and place (`movlr_jax.tasks.gates.place`: the larger tuple is the better) of each; the first is the one
                that these facts tell in detail. Of equals the first counts.
        """
        if len(episodes) < 2:
            return self
        ends = {"worst": min(episodes, key=lambda e: e[2]), "best": max(episodes, key=lambda e: e[2])}
        same = ends["worst"][2] == ends["best"][2]
        extremes = [Extreme.read({**_detail(told), "seed": seed, "place": name}) for name, (seed, told, _) in ends.items() if not same]
        return self.model_copy(update={"seed": episodes[0][0], "extremes": extremes})

    @property
    def weights(self) -> dict[str, float]:
        """The reward's weights, term -> weight."""
        return {name: term.weight for name, term in self.terms.items()}


def _detail(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.to_json().items() if name in _DETAIL}
