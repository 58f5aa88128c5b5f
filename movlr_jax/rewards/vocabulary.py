"""Vocabulary: the text that tells a writer all that `m` offers on a body, generated from the classes that a program reads; and read back.

Flows in: a FeatureLayout. Flows out: the text. `leg_joints` reads from it which joints the terms of the library may name.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence

from movlr_jax.morphologies import anatomy
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.rewards.library import STRAIGHT
from movlr_jax.rewards.motion import OBJECT, Goal, Joint, Joints, Motion, Muscles
from movlr_jax.rewards.places import CenterOfMass, Foot, Landmark

# Landmark -> what it marks, alike on the package's bodies; a body's own author may place them by the same words.
MARKS: dict[str, str] = {
    "pelvis": "its middle",
    "trunk": "the chest",
    "head": "its middle",
    "hip": "the hip joint",
    "knee": "the knee joint",
    "ankle": "the ankle joint",
    "heel": "the back of the sole",
    "foot": "the middle of the sole",
    "toe": "the tip of the sole",
    "shoulder": "the shoulder joint",
    "elbow": "the elbow joint",
    "hand": "the palm",
    "object": "its middle",
}
_FUNCTION = re.compile(r'([a-z_.]+) = (-?m\.joint\("[^"]+"\))\.angle \(([-\d.]+) standing\)')


def _described(cls: type, prefix: str, without: str = "") -> list[str]:
    lines = []
    for name, member in vars(cls).items():
        if name.startswith("_") or (without and name.startswith(without)):
            continue
        if isinstance(member, property):
            lines.append(f"  {prefix}.{name}: {inspect.getdoc(member)}")
        elif inspect.isfunction(member):
            arguments = ", ".join(list(inspect.signature(member).parameters)[1:])
            lines.append(f"  {prefix}.{name}({arguments}): {inspect.getdoc(member)}")
    return lines


def vocabulary(layout: FeatureLayout, directions: Mapping[str, str] | None = None) -> str:
    """Return the text that tells a writer all that `m` offers on this body, generated from the classes above.

    Args:
        layout: of the body.
        directions: planned joint -> where the part beyond it goes as it grows (`morphologies.joint_directions`); None: not told.
    """
    landmarks = sorted(layout.landmarks)
    feet = any(name.endswith(".foot") for name in landmarks)
    without = "" if OBJECT in landmarks else OBJECT
    parts = [
        f"m is one instant of the motion of {layout.morphology}. SI units. "
        "Frame: x forward (the way the task goes), y left, z up, fixed at the start.",
        *_described(Motion, "m", without),
        "A landmark L (" + ", ".join(f"m.{n}" for n in landmarks) + ") has:",
        *_marks(landmarks),
        *_described(Landmark, "L"),
        *(["The feet m.left.foot and m.right.foot also have:", *_described(Foot, "foot")] if feet else []),
        "The centre of mass has:",
        *_described(CenterOfMass, "m.com"),
        "A joint J = m.joint(name) has:",
        *_described(Joint, "J"),
        "Joint names: " + ", ".join(layout.joints) + ".",
        *_leg_functions(layout),
        "The planned joints together have:",
        *_described(Joints, "m.joints"),
        "Planned joints, in order" + _planned(layout, directions) + ".",
        "m.muscles and m.muscle_group(name) have:",
        *_described(Muscles, "m.muscles"),
        "Muscle groups: " + ", ".join(layout.muscle_groups) + ".",
        "The goal has:",
        *_described(Goal, "m.goal", without),
        "m.standing (m): " + ", ".join(f"{k} = {v:.3f}" for k, v in layout.standing.items()) + ".",
    ]
    return "\n".join(parts)


def _marks(landmarks: Sequence[str]) -> list[str]:
    """Return a line on where the landmarks are, of those whose names are known."""
    names = dict.fromkeys(name.split(".")[-1] for name in landmarks)
    known = [f"{name} {MARKS[name]}" for name in MARKS if name in names]
    return ["  They mark: " + ", ".join(known) + "."] if known else []


def _planned(layout: FeatureLayout, directions: Mapping[str, str] | None) -> str:
    """Return the planned joints in order, with limits and directions where these are known."""
    if directions is None:
        return ": " + ", ".join(layout.planned_joints)
    parts = []
    for name in layout.planned_joints:
        (low, high), direction = layout.joint_ranges[name], directions[name]
        slides = direction.startswith("slides")
        limits = f"{low:g} to {high:g} m" if slides else f"{math.degrees(low):.0f} to {math.degrees(high):.0f}"
        parts.append(f"{name} {limits} {direction}")
    what = ", with their limits in degrees (programs read rad) and where the part beyond the joint goes as the value grows: "
    return what + ", ".join(parts)


def _leg_functions(layout: FeatureLayout) -> list[str]:
    """Return a line of the joints whose names do not say what they do in a leg."""
    parts = []
    for function, (joint, sign) in anatomy.unusual(layout.anatomy).items():
        standing = sign * layout.standing_angles[joint]
        parts.append(f'{function} = {"-" if sign < 0 else ""}m.joint("{joint}").angle ({standing:.2f} standing)')
    return ["What joints of the legs do: " + ", ".join(parts) + "."] if parts else []


def leg_joints(text: str) -> dict[str, str]:
    """Return function of a leg -> how a program writes its joint, of those that stand straight enough for the terms of the library.

    Args:
        text: a vocabulary; one that lists no joints says nothing against the usual ones.
    """
    listed = re.search(r"Joint names: (.*?)\.\s", text)
    names = {part.strip() for part in listed[1].split(",")} if listed else None
    usual = {f"{side}.{name}": anatomy.usual(f"{side}.{name}") for side in SIDES for name in anatomy.FUNCTIONS}
    out = {function: f'm.joint("{joint}")' for function, joint in usual.items() if names is None or joint in names}
    for function, written, standing in _FUNCTION.findall(text):
        out.pop(function, None)
        if abs(float(standing)) <= STRAIGHT:
            out[function] = written
    return out
