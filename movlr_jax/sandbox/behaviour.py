"""The last gate: what a reward makes of motions that every reward must understand, none of them planned.

In: an inspected program (evaluated in numpy, then compiled), its weights, and the motions of the body (`behaviour_motions`). Out: checks,
warnings, and a refusal where a reward is not finite, says the same of everything, or would rather have the body lie than stand, or the
object dropped than held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from movlr_jax.rewards.parameters import Parameter
from movlr_jax.sandbox.behaviour_motions import (
    CARRIED,
    COLLAPSES,
    DROPPED,
    FALLING,
    HELD,
    LYING,
    RESTING,
    STANDING,
    STEPPING,
    BehaviourMotions,
)

# Other values of some parameters and features float32[b, F] -> columns float32[b, n + k].
Evaluate = Callable[[Mapping[str, float], np.ndarray], np.ndarray]
GIANT = 1e6
TOLERANCE = 0.02  # share of the spread over motions by which a preference must exceed another to count
_FALLEN = 10  # instants at the end of a collapse that count as fallen

# The motion that must be worth more, the one that must be worth less, the check, what is said of a failure, and its cure.
_UPRIGHT = (
    STANDING,
    LYING,
    "standing beats lying",
    "Lying still earns {worse}, more than standing still with {better}",
    "reward height and uprightness",
)
_HOLDING = (
    HELD,
    DROPPED,
    "held beats dropped",
    "The object dropped earns {worse}, more than the object held with {better}",
    "reward the object near its goal",
)


@dataclass
class Behaviour:
    """What was result.

    Attributes:
        refusal: one sentence, or "" if nothing is wrong.
        term: the term it is about, "" if it is about the whole.
        cure: what to do.
        checks: check -> "passed" or what was result.
        warnings: sentences for the writer.
        rewards: motion -> mean weighted reward.
    """

    refusal: str = ""
    term: str = ""
    cure: str = ""
    checks: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    rewards: dict[str, float] = field(default_factory=dict)


def judge(
    evaluate: Callable[[np.ndarray], np.ndarray],
    weights: Mapping[str, float],
    motions: BehaviourMotions,
    *,
    lying: bool = False,
    joints: Sequence[str] = (),
) -> Behaviour:
    """Judge a program by the motions.

    Args:
        evaluate: features float32[b, F] -> terms, then nominal angles, float32[b, n + k].
        weights: the n terms in order, with their weights.
        motions: the body's motions.
        lying: the task asks to lie down: that lying, or where a fall ends, is worth more than standing is then no fault.
        joints: the k joints that have nominal angles, of which only one thing is asked: to be finite.
    """
    result = Behaviour()
    names = list(weights)
    weight = np.array([weights[n] for n in names], np.float64)
    features = {name: np.asarray(motions.features[name], np.float32) for name in motions.features}
    values = np.asarray(evaluate(np.concatenate(list(features.values()))), np.float64)
    stops = np.cumsum([len(f) for f in features.values()])[:-1]
    columns, values, angles = values.shape[1:], values[:, : len(names)], values[:, len(names) :]
    terms = dict(zip(features, np.split(values, stops), strict=True))

    def refuse(check: str, term: str, cause: str, cure: str) -> Behaviour:
        result.checks[check] = cause
        result.refusal, result.term, result.cure = f"{cause}: {cure}.", term, cure
        return result

    if columns != (len(names) + len(joints),):
        return refuse("shape", "", f"The program returns {columns} terms for {len(names)} weights", "name every term once")
    result.checks["shape"] = "passed"

    for kind, named, parts in (("term", names, terms), ("posture of", joints, dict(zip(features, np.split(angles, stops), strict=True)))):
        for name, rows in parts.items():
            bad = ~np.isfinite(rows)
            if bad.any():
                row, at = (int(i) for i in np.argwhere(bad)[0])
                what = "not a number" if np.isnan(rows[row, at]) else "infinite"
                return refuse(
                    "finite",
                    named[at],
                    f"The {kind} {named[at]} is {what} on {name}",
                    "guard divisions, roots and logarithms, for example with jnp.maximum(x, 1e-3)",
                )
    result.checks["finite"] = "passed"

    largest = np.abs(values).max(axis=0)
    if largest.max() > GIANT:
        most = int(largest.argmax())
        return refuse(
            "bounded",
            names[most],
            f"The term {names[most]} reaches {largest[most]:.2g}",
            f"keep terms under {GIANT:g} on every motion, for example with tolerance or jnp.clip",
        )
    result.checks["bounded"] = "passed"

    def of_terms(features: np.ndarray) -> np.ndarray:
        return evaluate(features)[:, : len(names)]

    reward = {name: rows @ weight for name, rows in terms.items()}
    mean = {name: float(r.mean()) for name, r in reward.items()}
    result.rewards = mean
    everything = values @ weight
    scale = max(1.0, float(np.abs(everything).max()))
    if float(np.ptp(everything)) <= 1e-6 * scale:
        return refuse("varies", "", "The reward is the same on every motion", "let it depend on m")
    result.checks["varies"] = "passed"

    if RESTING in mean:  # of a body that is fixed to the world no pose is worse than another
        return _advised(result, of_terms, values, weight, names, motions)
    held = HELD in mean
    known = [mean[n] for n in ((HELD, CARRIED, FALLING, DROPPED) if held else (STANDING, *COLLAPSES, LYING, STEPPING))]
    # Differences of a few percent of what the motions differ by are noise of sway and settling.
    margin = TOLERANCE * (max(known) - min(known)) + 1e-6 * scale
    better, worse, check, words, cure = _HOLDING if held else _UPRIGHT
    asked = lying and not held
    if not asked and mean[worse] > mean[better] + margin:
        worst = _culprit(terms, worse, better, weight, names)
        cause = words.format(worse=f"{mean[worse]:.3g}", better=f"{mean[better]:.3g}")
        return refuse(check, worst, f"{cause}, mostly by the term {worst}", f"{cure}, or turn that term's sign round")
    result.checks[check] = "not asked: the task is to lie" if asked else "passed"
    # The end of a fall, not its course: a squat is on the way down too.
    fallen = {} if held or asked else {n: float(reward[n][-_FALLEN:].mean()) for n in COLLAPSES}
    if fallen and all(earned > mean[STANDING] + margin for earned in fallen.values()):
        ends = {**terms, COLLAPSES[0]: terms[COLLAPSES[0]][-_FALLEN:]}
        worst = _culprit(ends, COLLAPSES[0], STANDING, weight, names)
        return refuse(
            "standing beats collapse",
            worst,
            f"Collapsing earns more than standing in every direction ({min(fallen.values()):.3g} at least against "
            f"{mean[STANDING]:.3g}), mostly by the term {worst}",
            "reward height and uprightness, or turn that term's sign round",
        )
    if fallen:
        result.checks["standing beats collapse"] = "passed"

    tempting = [n for n in fallen if mean[n] > mean[STANDING] + margin]
    if tempting:
        result.warnings.append(f"{tempting[0].capitalize()} earns more than standing still: a term for height or balance would help.")
    return _advised(result, of_terms, values, weight, names, motions)


def judge_ranges(
    result: Behaviour,
    evaluate: Evaluate,
    parameters: Mapping[str, Parameter],
    columns: Sequence[str],
    terms: int,
    motions: BehaviourMotions,
) -> None:
    """Judge a program at the ends of its parameters' ranges: each alone, and all at once. A tuner moves within them without another proof.

    Args:
        result: what `judge` returned under the declared values; checks, warnings and a refusal are added to it.
        evaluate: other values of some parameters and features float32[b, F] -> terms, then nominal angles, float32[b, n + k].
        parameters: the declared constants.
        columns: names of the n terms and the k joints.
        terms: n.
        motions: the body's motions.
    """
    features = np.concatenate([np.asarray(rows, np.float32) for rows in motions.features.values()])
    own = np.asarray(evaluate({}, features), np.float64)
    ends = {name: {"lowest": parameter.lowest, "highest": parameter.highest} for name, parameter in parameters.items()}
    corners = [({name: value}, f"{name} is {value:g}") for name, end in ends.items() for value in end.values()]
    corners += [({name: end[which] for name, end in ends.items()}, f"all parameters are {which}") for which in ("lowest", "highest")]
    idle = set(parameters)
    for moved, where in corners:
        values = np.asarray(evaluate(moved, features), np.float64)
        finite = np.asarray(np.isfinite(values).all(axis=0))
        largest = np.nan_to_num(np.abs(values)).max(axis=0)
        large = finite & (largest > GIANT) & (np.arange(len(columns)) < terms)
        if not finite.all() or large.any():
            at = int(np.flatnonzero(~finite | large)[0])
            what = f"{'term' if at < terms else 'posture of'} {columns[at]}"
            cause = f"Where {where}, the {what} {'is not finite' if not finite[at] else f'exceeds {GIANT:g}'} on a trial motion"
            cure = "narrow the range in PARAMETERS, or guard the division, root or logarithm"
            result.checks["ranges"] = cause
            result.refusal, result.term, result.cure = f"{cause}: {cure}.", columns[at], cure
            return
        if len(moved) == 1 and not np.array_equal(values, own):
            idle -= set(moved)
    result.checks["ranges"] = "passed"
    result.warnings += [f"The parameter {name} changes nothing on any motion: it steers nothing." for name in parameters if name in idle]


def _advised(
    result: Behaviour,
    evaluate: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    weight: np.ndarray,
    names: list[str],
    motions: BehaviourMotions,
) -> Behaviour:
    """Return the result with warnings of terms that steer nothing and of motions that were judged otherwise."""
    idle = []
    for i, name in enumerate(names):
        column = values[:, i]
        if float(np.ptp(column)) <= 1e-7 * max(1.0, float(np.abs(column).max())):
            idle.append(f"The term {name} is the same on every motion: it steers nothing.")
        if weight[i] == 0.0:
            idle.append(f"The term {name} has weight 0: it steers nothing.")
    result.warnings = [*idle, *result.warnings, *_against_archive(evaluate, weight, motions)]
    return result


def _culprit(terms: Mapping[str, np.ndarray], high: str, low: str, weight: np.ndarray, names: list[str]) -> str:
    gain = (terms[high].mean(axis=0) - terms[low].mean(axis=0)) * weight
    return names[int(np.argmax(gain))]


def _against_archive(evaluate: Callable[[np.ndarray], np.ndarray], weight: np.ndarray, motions: BehaviourMotions) -> list[str]:
    """Warn where the reward ranks archived motions against how they were judged (Kendall's tau below 0)."""
    if len(motions.archived) < 3:
        return []
    judged = np.array([score for score, _ in motions.archived])
    earned = np.array([float((np.asarray(evaluate(f), np.float64) @ weight).mean()) for _, f in motions.archived])
    upper = np.triu_indices(len(judged), 1)
    agree = np.sign(np.subtract.outer(judged, judged)[upper]) * np.sign(np.subtract.outer(earned, earned)[upper])
    if agree.sum() < 0:
        return [f"The reward ranks {int((agree < 0).sum())} of {len(agree)} pairs of earlier motions against how they were judged."]
    return []
