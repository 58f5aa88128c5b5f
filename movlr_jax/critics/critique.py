"""The schema of a judgement: Critique (what is wrong with one motion, what to change) and Preference (which of two is
better).

Pydantic models, because a language model's answer arrives as JSON and is validated here; the offline critic fills the
same fields.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["stability", "progress", "coordination"]
Phase = Literal["start", "middle", "end", "throughout", "stance", "swing", "fall"]
STAGES: tuple[Stage, ...] = ("stability", "progress", "coordination")


class Fault(BaseModel):
    """One thing that is wrong with a motion."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: str = Field(description="Short name of the fault, from the list of kinds where one fits; else a new one in snake_case.")
    what: str = Field(description="What is wrong, in one sentence, with the measured number where there is one.")
    body_part: str = Field(description="Where: trunk, pelvis, head, left foot, right knee, whole body, ...")
    phase: Phase = Field(default="throughout", description="When it happens.")
    severity: float = Field(ge=0.0, le=1.0, description="0 is harmless, 1 defeats the task.")
    stage: Stage = Field(description="stability before progress before coordination.")


class Suggestion(BaseModel):
    """One change to the reward."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    action: Literal["add", "change", "remove", "reweigh", "set"] = Field(
        description="To a reward term; or set a declared parameter of the program to another value within its range."
    )
    term: str | None = Field(default=None, description="The reward term it is about, if one can be named; or the parameter to set.")
    weight: float | None = Field(default=None, description="The weight to give it, if any; or the parameter's value.")
    words: str = Field(description="What the change should make the body do, in one sentence.")
    addresses: str | None = Field(default=None, description="The kind of the fault that it acts against.")


class Critique(BaseModel):
    """A judgement of one motion: faults in order of importance and the changes to the reward that would mend them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    success: bool = Field(description="Did the motion do what the goal asks for?")
    summary: str = Field(description="The judgement in one line.")
    faults: tuple[Fault, ...] = Field(default=(), description="Most important first: stability, then progress, then coordination.")
    suggestions: tuple[Suggestion, ...] = Field(default=(), description="Most useful first; small changes.")

    def worst(self) -> Fault | None:
        """Return the first and most important fault, or None."""
        return self.faults[0] if self.faults else None


class Preference(BaseModel):
    """Which of two motions does the goal better."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    winner: Literal["a", "b", "tie"]
    reason: str

    def swapped(self) -> Preference:
        """Return the same preference with a and b exchanged."""
        other: dict[str, Literal["a", "b", "tie"]] = {"a": "b", "b": "a", "tie": "tie"}
        return Preference(winner=other[self.winner], reason=self.reason)


# kind -> (stage, what it means). The offline critic uses only these; a language model is shown them and may add its
# own.
FAULTS: dict[str, tuple[Stage, str]] = {
    "diverged": ("stability", "the simulation blew up"),
    "fall_forward": ("stability", "falls forward"),
    "fall_backward": ("stability", "falls backward"),
    "fall_left": ("stability", "falls to the left"),
    "fall_right": ("stability", "falls to the right"),
    "collapse": ("stability", "the legs give way"),
    "crouch": ("stability", "stands or walks too low"),
    "lean_forward": ("stability", "leans forward"),
    "lean_backward": ("stability", "leans backward"),
    "lean_sideways": ("stability", "leans to a side"),
    "com_ahead": ("stability", "the centre of mass runs ahead of the feet"),
    "com_behind": ("stability", "the centre of mass stays behind the feet"),
    "com_aside": ("stability", "the centre of mass is to one side of the feet"),
    "sway": ("stability", "sways"),
    "drop": ("stability", "drops the object"),
    "not_moving": ("progress", "does not move although the goal asks for it"),
    "too_slow": ("progress", "slower than asked"),
    "too_fast": ("progress", "faster than asked"),
    "backward": ("progress", "moves backward"),
    "drift": ("progress", "drifts to a side"),
    "veer": ("progress", "turns away from the direction asked for"),
    "wander": ("progress", "does not stay in place"),
    "squat_too_high": ("progress", "does not go down far enough"),
    "not_kneeling": ("progress", "does not kneel"),
    "not_sitting": ("progress", "does not sit"),
    "not_lying": ("progress", "does not lie"),
    "not_standing": ("progress", "does not stand"),
    "not_jumping": ("progress", "does not leave the ground"),
    "knee_low": ("progress", "does not raise a knee enough"),
    "left_knee_low": ("progress", "does not raise the left knee enough"),
    "right_knee_low": ("progress", "does not raise the right knee enough"),
    "left_foot_down": ("progress", "does not lift the left foot"),
    "right_foot_down": ("progress", "does not lift the right foot"),
    "not_leaning_forward": ("progress", "does not lean forward"),
    "not_walking": ("progress", "does not walk"),
    "not_running": ("progress", "does not run"),
    "not_held": ("progress", "does not hold what was to be held"),
    "foot_off_ground": ("progress", "a foot that should stand is off the ground"),
    "unwanted": ("progress", "does what the goal forbids"),
    "unmeasured": ("progress", "a part of the goal that nothing measures"),
    "misplaced": ("progress", "the object is not where it is wanted"),
    "misturned": ("progress", "the object is not turned as wanted"),
    "loose_grip": ("coordination", "fingers are away from the object"),
    "crossed_feet": ("coordination", "the feet cross"),
    "narrow_stance": ("coordination", "the feet are too close together"),
    "wide_stance": ("coordination", "the feet are too far apart"),
    "low_clearance": ("coordination", "the swinging foot stays too low"),
    "no_steps": ("coordination", "does not step"),
    "shuffle": ("coordination", "steps are too short"),
    "asymmetry": ("coordination", "left and right differ"),
    "stiff_knee": ("coordination", "a knee hardly bends"),
    "no_push_off": ("coordination", "the ankle does not push off"),
    "flat_footed": ("coordination", "lands on the whole foot or the toes"),
    "short_stance": ("coordination", "a foot stands too short a time"),
    "limp": ("coordination", "the time on the two legs differs"),
    "quick_steps": ("coordination", "steps are too many for the time"),
    "chatter": ("coordination", "a foot touches down again and again"),
    "toe_drag": ("coordination", "the swinging foot touches the ground"),
    "bent_knees": ("coordination", "the knees stay bent under load"),
    "knees_in": ("coordination", "the knees fall in"),
    "hip_drop": ("coordination", "the hips tilt"),
    "toes_out": ("coordination", "the feet do not point forward"),
    "tiptoe": ("coordination", "walks on the toes"),
    "odd_posture": ("coordination", "the posture is far from standing"),
    "arms_raised": ("coordination", "the arms are raised"),
    "foot_slip": ("coordination", "a loaded foot slides"),
    "flight": ("coordination", "both feet leave the ground"),
    "effort": ("coordination", "uses more muscle than needed"),
    "jerk": ("coordination", "moves jerkily"),
}
