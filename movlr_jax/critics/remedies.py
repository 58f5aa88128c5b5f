"""From faults to changes of a reward: which library terms to add, strengthen or drop, in which order.

In: faults (most important first), the terms and the parameters of the reward that was run. Out: suggestions, most useful first. The
order of the remedies of a fall is that of the published human-designed walk (height 200, upright 200, balance 100,
heading 100, feet cross 50, lateral speed 10, posture 2.5; arXiv 2512.23077), led by what acts against the direction of
the fall. Which parameters are moved, and which way, stands in `parameter_remedies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from movlr_jax.critics import parameter_remedies
from movlr_jax.critics.critique import FAULTS, Fault, Suggestion
from movlr_jax.facts import Constant, Term
from movlr_jax.rewards import library

_SIDEWAYS_FALL = (
    "head_height",
    "feet_apart",
    "balance",
    "upright",
    "heading",
    "sideways_capture",
    "lateral_speed",
    "trunk_sway",
)

# fault -> library terms, first the one to try first. Faults not listed take `library.fixing`.
REMEDIES: dict[str, tuple[str, ...]] = {
    "fall_forward": (
        "head_height",
        "balance",
        "upright",
        "heading",
        "feet_apart",
        "lead_foot",
        "trunk_pitch",
        "posture",
    ),
    "fall_backward": (
        "head_height",
        "upright",
        "balance",
        "heading",
        "feet_apart",
        "pelvis_height",
        "trunk_pitch",
        "posture",
    ),
    "fall_left": _SIDEWAYS_FALL,
    "fall_right": _SIDEWAYS_FALL,
    "collapse": ("head_height", "pelvis_height", "upright", "balance", "stance_knee", "no_sinking", "posture"),
    "crouch": ("head_height", "pelvis_height", "stance_knee"),
    "lean_forward": ("upright", "trunk_upright", "trunk_pitch", "lead_foot"),
    "lean_backward": ("upright", "trunk_upright", "trunk_pitch"),
    "lean_sideways": ("upright", "trunk_sway", "hip_level"),
    "com_ahead": ("balance", "lead_foot", "capture_point"),
    "com_behind": ("balance", "capture_point"),
    "com_aside": ("balance", "sideways_capture"),
    "sway": ("lateral_speed", "trunk_sway", "sideways_capture"),
    "not_moving": ("forward_speed", "step_length", "alternation"),
    "too_slow": ("forward_speed", "step_length", "lead_foot"),
    "drift": ("lateral_position", "facing", "lateral_speed", "heading"),
    "veer": ("heading", "facing", "lateral_position"),
    "crossed_feet": ("feet_apart", "foot_placement", "hip_adduction"),
    "asymmetry": ("step_symmetry", "alternation", "hip_alternation"),
    "no_steps": ("alternation", "step_length", "foot_clearance"),
    "shuffle": ("step_length", "foot_clearance", "alternation"),
    "effort": ("effort", "posture", "joint_velocity"),
    "not_held": ("stillness", "stay_in_place", "com_acceleration", "joint_velocity"),
    "foot_off_ground": ("ground_contact", "balance", "bounce"),
    "knee_low": ("left_knee_up", "weight_over_right_foot"),
    "not_standing": ("head_height", "pelvis_height", "stance_knee"),
    "drop": ("grasp", "fingertips", "object_position", "object_not_falling", "thumb_opposed"),
    "misplaced": ("object_position", "object_still", "grasp"),
    "misturned": ("object_orientation", "fingertips", "object_still"),
    "loose_grip": ("fingertips", "thumb_opposed", "grasp"),
    "jerk": ("joint_velocity", "excitation_change", "com_acceleration", "bounce"),
}
# A weight is raised at most to this multiple of the library's own: beyond it one term drowns the others. The published
# task notes warn that a speed weight much above 10 breaks walking.
LARGEST_RAISE = 2.0
RAISE = 2.0


def remedies(kind: str) -> tuple[str, ...]:
    """Return the names of the library terms that act against a fault, the first to try first."""
    listed = REMEDIES.get(kind, ())
    return (*listed, *(t.name for t in library.fixing(kind) if t.name not in listed))


def _name(kind: str) -> str:
    return FAULTS[kind][1] if kind in FAULTS else kind.replace("_", " ")


def _add(term: str, fault: Fault) -> Suggestion:
    entry = library.LIBRARY[term]
    return Suggestion(
        action="add",
        term=term,
        weight=entry.weight,
        words=f"{entry.doc} It acts against this: {_name(fault.kind)}.",
        addresses=fault.kind,
    )


def _raise(term: str, weight: float, fault: Fault) -> Suggestion | None:
    cap = LARGEST_RAISE * library.LIBRARY[term].weight
    raised = round(min(max(RAISE * weight, library.LIBRARY[term].weight), cap), 3)
    if raised <= 1.05 * weight:
        return None
    return Suggestion(
        action="reweigh",
        term=term,
        weight=raised,
        words=f"Raise {term} from {weight:g} to {raised:g}: it is asked for, yet this remains: {_name(fault.kind)}.",
        addresses=fault.kind,
    )


def _sets(fault: Fault, parameters: Mapping[str, Constant]) -> list[Suggestion]:
    return [
        Suggestion(
            action="set",
            term=move.name,
            weight=move.value,
            words=f"Set {move.name} from {move.before:g} to {move.value:g}, to {move.words}: it acts against this: {_name(fault.kind)}.",
            addresses=fault.kind,
        )
        for move in parameter_remedies.moves(fault.kind, parameters)
    ]


def suggest(
    faults: Sequence[Fault],
    terms: Mapping[str, Term],
    excluded: Iterable[str] = (),
    limit: int = 10,
    parameters: Mapping[str, Constant] | None = None,
) -> tuple[Suggestion, ...]:
    """Turn faults into changes.

    Args:
        faults: most important first. While a stability fault of severity 0.5 or more stands, only stability faults are
            answered: a body that falls has no use for finesse.
        terms: what the reward's terms did.
        excluded: library terms that this goal must not be given (a squat must not be told to stand tall).
        limit: how many changes at most, not counting idle terms to drop (named last, and only when the body is stable).
        parameters: the reward's declared constants.

    Returns:
        Changes, most useful first, no term and no parameter twice. Terms that are missing come before weights that are raised; a parameter
        that has a say in a fault comes second, before anything more is added.
    """
    unstable = any(f.stage == "stability" and f.severity >= 0.5 for f in faults)
    answered = [f for f in faults if not unstable or f.stage == "stability"]
    if not unstable:  # once the body is stable, the graver of balance and progress leads; finesse still comes after both
        answered.sort(key=lambda f: (f.stage == "coordination", -f.severity))
    banned = set(excluded)
    queues: list[list[Suggestion]] = []
    for fault in answered:
        known = [t for t in remedies(fault.kind) if t not in banned]
        added = [_add(t, fault) for t in known if t not in terms]
        raised = [r for t in known if t in terms and (r := _raise(t, terms[t].weight, fault)) is not None]
        # A body that falls first needs what its reward lacks; for progress and finesse the most direct term comes first,
        # be it by a larger weight.
        direct = {name: i for i, name in enumerate(known)}
        queue = [*added[:4], *raised[:2], *added[4:]]
        if not unstable:
            queue = sorted([*added, *raised], key=lambda s: direct.get(s.term or "", len(direct)))
        queues.append([*queue[:1], *_sets(fault, parameters or {}), *queue[1:]])
    # The worst fault gets the first two places, then all faults take turns.
    order = queues[0][:2] if queues else []
    for index in range(max(map(len, queues), default=0)):
        order += [queue[index] for queue in queues if index < len(queue)]
    chosen: dict[str | None, Suggestion] = {}
    for suggestion in order:
        chosen.setdefault(suggestion.term, suggestion)
    found = list(chosen.values())[:limit]
    if not unstable:
        found += [s for s in _idle(terms) if s.term not in chosen]
    return tuple(found)


def _idle(terms: Mapping[str, Term]) -> list[Suggestion]:
    """Suggest to drop terms that were the same at every instant: they steer nothing."""
    if len(terms) < 2:
        return []
    return [
        Suggestion(action="remove", term=name, words=f"Drop {name}: it was {term.mean:g} at every instant and steered nothing.")
        for name, term in terms.items()
        if term.std < 1e-6
    ]
