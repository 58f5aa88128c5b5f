"""Vocabulary: the text that tells a writer all that `m` offers on a body, generated from the classes that a program reads; and read back.

Flows in: a FeatureLayout. Flows out: the text. `leg_joints` reads from it which joints the terms of the library may name.
"""

from __future__ import annotations

import inspect
import re

from movlr_jax.morphologies import anatomy
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.rewards.library import STRAIGHT
from movlr_jax.rewards.motion import OBJECT, Goal, Joint, Joints, Motion, Muscles
from movlr_jax.rewards.places import CenterOfMass, Foot, Landmark

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


def vocabulary(layout: FeatureLayout) -> str:
    """Return the text that tells a writer all that `m` offers on this body, generated from the classes above."""
    landmarks = sorted(layout.landmarks)
    feet = any(name.endswith(".foot") for name in landmarks)
    without = "" if OBJECT in landmarks else OBJECT
    parts = [
        f"m is one instant of the motion of {layout.morphology}. SI units. "
        "Frame: x forward (the way the task goes), y left, z up, fixed at the start.",
        *_described(Motion, "m", without),
        "A landmark L (" + ", ".join(f"m.{n}" for n in landmarks) + ") has:",
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
        "Planned joints, in order: " + ", ".join(layout.planned_joints) + ".",
        "m.muscles and m.muscle_group(name) have:",
        *_described(Muscles, "m.muscles"),
        "Muscle groups: " + ", ".join(layout.muscle_groups) + ".",
        "The goal has:",
        *_described(Goal, "m.goal", without),
        "m.standing (m): " + ", ".join(f"{k} = {v:.3f}" for k, v in layout.standing.items()) + ".",
    ]
    return "\n".join(parts)


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
