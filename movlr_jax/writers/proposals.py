"""What library edits are possible: which terms a body and a goal admit, and how a suggestion becomes a change of the
text.

In: a WriteRequest. Out: Changes: of terms, and of the parameters that the program declares. Shared by the offline writer and by its random
baseline.
"""

from __future__ import annotations

import re

from movlr_jax import goals
from movlr_jax.critics.critique import Suggestion
from movlr_jax.critics.parameter_remedies import STEP
from movlr_jax.critics.remedies import LARGEST_RAISE, RAISE, remedies
from movlr_jax.rewards import library, vocabulary
from movlr_jax.rewards.library import LIBRARY, LibraryTerm
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.rewards.program import ProgramError, literal_parameters
from movlr_jax.writers.base import WriteRequest
from movlr_jax.writers.edits import Change

# Words of a suggestion that names no term of the library -> terms that it may mean, tried in this order.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"centre of mass|center of mass|\bcom\b|balance|over the feet", ("balance", "capture_point")),
    (r"upright|trunk|torso|lean", ("upright", "trunk_upright", "trunk_pitch")),
    (r"head height|height|tall|collapse|stay up|\bfall", ("head_height", "pelvis_height", "balance")),
    (r"cross|apart|stance width", ("feet_apart", "foot_placement")),
    (r"heading|straight|veer|direction", ("heading", "lateral_position")),
    (r"sideways|lateral|drift", ("lateral_speed", "lateral_position")),
    (r"heel strike|flat.?foot|land", ("heel_strike",)),
    (r"push.?off", ("push_off",)),
    (r"chatter|again and again|touch(es)? down", ("swing_time",)),
    (r"clearance|lift the foot|drag|toe", ("foot_clearance", "toe_lift")),
    (r"limp|uneven step", ("even_steps", "alternation")),
    (r"symmetr|even", ("step_symmetry", "alternation")),
    (r"step length|stride|longer steps|shuffl", ("step_length", "alternation")),
    (r"knee", ("swing_knee", "stance_knee", "knee_alignment")),
    (r"hip", ("hip_level", "hip_adduction")),
    (r"ankle", ("ankle_range",)),
    (r"smooth|jerk|jitter", ("joint_velocity", "excitation_change", "com_acceleration")),
    (r"effort|energy|activation", ("effort",)),
    (r"speed|faster|forward", ("forward_speed", "speed_match")),
    (r"posture|pose|joint", ("posture",)),
)


def _listed(vocabulary: str, pattern: str) -> set[str] | None:
    match = re.search(pattern, vocabulary)
    return {part.strip() for part in match.group(1).split(",")} if match else None


def admitted(request: WriteRequest) -> dict[str, LibraryTerm]:
    """Return the library terms that fit: the body has what they read, and the goal does not speak against them.

    What the body has is read from the vocabulary, which lists its landmarks and joints; where it does not, all but the
    hands is assumed. Terms that only serve a special sentence (raise the left knee) are left out unless the goal asks
    for that.
    """
    landmarks = _listed(request.vocabulary, r"A landmark L \((.*?)\)")
    joints = vocabulary.leg_joints(request.vocabulary)
    goal = goals.read(request.goal)
    special = {t.kind for t in goals.TARGETS} - goal.kinds()
    if not goal.stays:
        special.add("wander")

    def has(need: str) -> bool:
        if landmarks is None:
            return "hand" not in need
        return f"m.{need}" in landmarks or need in joints

    # Of a hand with an object only what it does with it matters, and at what cost: the rest of the body is fixed.
    handles = landmarks is not None and "m.object" in landmarks
    return {
        name: term.on(joints)
        for name, term in LIBRARY.items()
        if (not handles or "object" in term.needs or term.term_class == "economy")
        if all(has(need) for need in term.needs) and not set(term.fixes) <= special | ({"sway"} if "wander" in special else set())
    }


def declared(request: WriteRequest) -> dict[str, Parameter]:
    """Return the parameters of the best reward; none of a text that cannot be read."""
    try:
        return literal_parameters(request.best_source)
    except ProgramError:
        return {}


def added(term: LibraryTerm, weight: float) -> Change:
    """Return the change that adds a library term, with the parameters that it reads."""
    return Change("add", term.name, round(weight, 3), term.expression, parameters=term.parameters)


def _set(name: str, parameter: Parameter, value: float) -> Change | None:
    """Return the change of a parameter to a value, kept within its range; None where that is the value that it has."""
    value = parameter.within(value)
    return None if value == parameter.value else Change("set", name, value, before=parameter.value)


def _raised(term: LibraryTerm, weight: float) -> float | None:
    new = round(min(RAISE * weight, LARGEST_RAISE * term.weight), 3)
    return new if new > 1.05 * weight else None


def _named(suggestion: Suggestion, terms: dict[str, LibraryTerm], present: set[str]) -> str | None:
    """Return the library term that a suggestion means, or None."""
    if suggestion.term in terms:
        return suggestion.term
    if suggestion.addresses:
        for name in remedies(suggestion.addresses):
            if name in terms and name not in present:
                return name
    words = f"{suggestion.term or ''} {suggestion.words}".replace("_", " ").lower()
    for pattern, names in _WORDS:
        if re.search(pattern, words):
            for name in names:
                if name in terms and name not in present:
                    return name
    return None


def change_of(suggestion: Suggestion, request: WriteRequest, terms: dict[str, LibraryTerm]) -> Change | None:
    """Return the change that a suggestion asks for, in terms of the library; None if it cannot be told or changes
    nothing.

    A weight that a critic names is kept within a tenth and twice of the library's own for its terms, the value of a parameter within its
    range.
    """
    weights = request.best_weights
    name = suggestion.term
    parameters = declared(request)
    if name is not None and name in parameters and suggestion.weight is not None and suggestion.action in ("set", "change"):
        return _set(name, parameters[name], suggestion.weight)
    if suggestion.action == "remove":
        return Change("remove", name) if name in weights and name is not None and len(weights) > 1 else None
    if suggestion.action in ("reweigh", "change") and name is not None and name in weights:
        old, entry = float(weights[name]), LIBRARY.get(name)
        if suggestion.action == "change" and entry is not None and name in terms:
            return Change("change", name, expression=terms[name].expression)
        new = suggestion.weight
        if new is None:
            new = _raised(entry, old) if entry else round(RAISE * old, 3)
        elif entry:
            new = min(max(new, 0.1 * entry.weight), LARGEST_RAISE * entry.weight)
        if new is None or abs(new - old) <= 0.01 * abs(old):
            return None
        return Change("reweigh", name, weight=round(new, 3))
    chosen = _named(suggestion, terms, set(weights))
    if chosen is None:
        return None
    term = terms[chosen]
    if chosen in weights:
        raised = _raised(term, float(weights[chosen]))
        return None if raised is None else Change("reweigh", chosen, weight=raised)
    weight = term.weight if suggestion.weight is None or name != chosen else suggestion.weight
    weight = min(max(weight, 0.1 * term.weight), LARGEST_RAISE * term.weight)
    return added(term, weight)


def every_change(request: WriteRequest, terms: dict[str, LibraryTerm]) -> list[Change]:
    """Return every single library change of the best reward: terms to add (at half, full and double weight), to
    reweigh, to remove; and its parameters a step up and down."""
    changes: list[Change] = []
    for name, term in terms.items():
        if name not in request.best_weights:
            changes += [added(term, f * term.weight) for f in (0.5, 1.0, 2.0)]
    for name, weight in request.best_weights.items():
        changes += [Change("reweigh", name, weight=round(f * float(weight), 3)) for f in (0.5, 2.0) if weight]
        if len(request.best_weights) > 1:
            changes.append(Change("remove", name))
    for name, parameter in declared(request).items():
        steps = (_set(name, parameter, parameter.stepped(sign * STEP)) for sign in (-1, 1))
        changes += [change for change in steps if change is not None]
    return changes


def stage_rank(name: str) -> int:
    """Return the place of a term's class from stability (0) to economy; unknown terms come last."""
    return library.CLASSES.index(LIBRARY[name].term_class) if name in LIBRARY else len(library.CLASSES)
