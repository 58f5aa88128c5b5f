"""Facts: what a motion was, in numbers that a critic reads.

In: the instants of one executed episode (float32[T, f], packed by a FeatureLayout), its term values, its metrics. Out:
one record of `movlr_jax.facts` (`describe`). Only instants are read, never the simulator, so a saved rollout tells the same story
years later. Directions are the body's own (ahead and left of the pelvis) for lean, balance and falls, and the task's
(forward, left) for speed and drift.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.facts import (
    Constant,
    Effort,
    Facts,
    Fall,
    Gait,
    Measures,
    Phase,
    Posture,
    Signal,
    Smoothness,
    StanceWidth,
    Term,
)
from movlr_jax.gait import margin
from movlr_jax.gait.trajectory import Trajectory, number, thirds
from movlr_jax.rewards import library
from movlr_jax.rewards.layout import SIDES, FeatureLayout
from movlr_jax.rewards.parameters import Parameter
from movlr_jax.tasks import handling_facts, joint_facts, leg_facts, metric_registry
from movlr_jax.tasks.falls import LOWERED, FallRule

SHORTEST_SWING_S = 0.06  # shorter losses of contact are chatter, not steps
# Bands that a steady human walk or stand stays in; leaving one for good is a sign of a fall. Trunk inclination in level
# walking stays within about 0.1 rad; the bands are wider because falls are told from sways, not from style.
FALL_SIGNS: dict[str, tuple[float, float]] = {
    "trunk_pitch_rad": (-0.35, 0.35),
    "trunk_roll_rad": (-0.25, 0.25),
    "pelvis_height_ratio": (0.88, 1.2),
    "com_ahead_of_feet_m": (-0.25, 0.25),
    "com_left_of_feet_m": (-0.15, 0.15),
}


def _signal(values: np.ndarray, time: np.ndarray, least: bool = False) -> Signal:
    """Return a signal's mean, its extreme (the largest in size, or the least) and when that came."""
    mean = number(values.mean())
    if least:
        index = int(np.argmin(values))
        return Signal(mean=mean, min=number(values[index]), at_s=number(time[index]))
    index = int(np.argmax(np.abs(values)))
    return Signal(mean=mean, max=number(values[index]), at_s=number(time[index]))


def signals(trajectory: Trajectory) -> dict[str, Float[np.ndarray, " time"]]:
    """Return the posture signals by time; directions are those of the pelvis's own heading."""
    t = trajectory
    heading = t.heading()
    c, s = np.cos(heading), np.sin(heading)
    up = t.axis("trunk", 2)
    position, velocity = t.com()
    feet = 0.5 * (t.position("left.foot") + t.position("right.foot"))
    offset = position - feet
    return {
        "trunk_pitch_rad": np.arctan2(c * up[:, 0] + s * up[:, 1], up[:, 2]),
        "trunk_roll_rad": np.arctan2(s * up[:, 0] - c * up[:, 1], up[:, 2]),
        "pelvis_height_ratio": t.height("pelvis") / t.standing("pelvis_height"),
        "head_height_ratio": t.height("head") / t.standing("head_height"),
        "heading_rad": heading,
        "com_ahead_of_feet_m": c * offset[:, 0] + s * offset[:, 1],
        "com_left_of_feet_m": c * offset[:, 1] - s * offset[:, 0],
        "speed_mps": velocity[:, 0],
        "lateral_m": position[:, 1] - position[t.first_facing(), 1],
    }


def _fall(signal: dict[str, np.ndarray], time: np.ndarray, over: np.ndarray) -> Fall | None:
    down = np.flatnonzero(over)
    if not down.size:
        return None
    end = int(down[0])
    first_sign, first = "pelvis_height_ratio", end
    for name, (low, high) in FALL_SIGNS.items():
        outside = (signal[name][: end + 1] < low) | (signal[name][: end + 1] > high)
        if not outside[-1]:
            continue
        inside = np.flatnonzero(~outside)
        start = int(inside[-1]) + 1 if inside.size else 0  # since when it has been outside for good
        if start < first:
            first_sign, first = name, start
    # The direction is where the body leant over its feet on the way down: later the feet may fly anywhere.
    middle = (first + end) // 2
    ahead = float(signal["com_ahead_of_feet_m"][middle] + 0.5 * np.sin(signal["trunk_pitch_rad"][middle]))
    left = float(signal["com_left_of_feet_m"][middle] - 0.5 * np.sin(signal["trunk_roll_rad"][middle]))
    lengthwise, sideways = "forward" if ahead >= 0 else "backward", "left" if left >= 0 else "right"
    return Fall(
        time_s=number(time[end]),
        direction=lengthwise if abs(ahead) >= abs(left) else sideways,  # type: ignore[arg-type]
        first_sign=first_sign,
        first_sign_s=number(time[first]),
        lean_m=number(np.hypot(ahead, left)),
    )


def _swings(contact: np.ndarray, time: np.ndarray) -> list[tuple[int, int]]:
    """Return (first instant in the air, instant of touchdown) of every completed swing."""
    changes = np.diff(contact.astype(np.int8))
    lifts, downs = np.flatnonzero(changes < 0) + 1, np.flatnonzero(changes > 0) + 1
    found = []
    for down in downs:
        before = lifts[lifts < down]
        if before.size and time[down] - time[before[-1]] >= SHORTEST_SWING_S:
            found.append((int(before[-1]), int(down)))
    return found


# What critics are told of the gait laboratory's figures: those of the record that `Gait` has a field for.
_FIGURES = tuple(name for name in Gait.model_fields if name in metric_registry.METRICS)


def _gait(t: Trajectory, figures: Measures) -> Gait:
    count = len(t.time)
    contact = {side: t.gait(side, "in_contact") > 0.5 for side in SIDES}
    swings = {side: _swings(contact[side], t.time) for side in SIDES}
    lengths: dict[str, list[float]] = {side: [] for side in SIDES}
    clearances = []
    forward = t.axis("pelvis", 0)
    left_axis = np.stack([-forward[:, 1], forward[:, 0], np.zeros(count)], axis=1)
    left_axis /= np.maximum(np.linalg.norm(left_axis, axis=1, keepdims=True), 1e-6)
    feet = {side: t.position(f"{side}.foot") for side in SIDES}
    for side, other in (SIDES, SIDES[::-1]):
        low = "toe" if t.has(f"{side}.toe") else "foot"
        height = t.height(f"{side}.{low}") - t.layout.standing.get(f"{side}_{low}_height", 0.0)
        for lift, down in swings[side]:
            lengths[side].append(float(feet[side][down, 0] - feet[other][down, 0]))
            clearances.append(float(height[lift:down].max()))
    width = ((feet["left"] - feet["right"]) * left_axis).sum(1)
    slips = []
    for side in SIDES:
        parts = [f"{side}.{p}" for p in ("heel", "toe", "foot") if t.has(f"{side}.{p}")]
        # A foot rolls over heel and toe: it slips only if its slowest part moves.
        slowest = np.min([np.linalg.norm(t.velocity(p)[:, :2], axis=1) for p in parts], axis=0)
        if contact[side].any():
            slips.append(float(slowest[contact[side]].mean()))
    left_mean, right_mean = (float(np.mean(lengths[side])) if lengths[side] else 0.0 for side in SIDES)
    knees = {side: angle for side in SIDES if (angle := t.function(f"{side}.knee_flexion")) is not None}
    flexion = {side: number(np.max(knees[side])) if side in knees else None for side in SIDES}
    ranges = [float(np.ptp(k)) for k in knees.values()]
    both = lengths["left"] + lengths["right"]
    return Gait(
        steps=len(both),
        left_steps=len(lengths["left"]),
        right_steps=len(lengths["right"]),
        mean_step_length_m=number(np.mean(both)) if both else 0.0,
        step_length_asymmetry=number(abs(left_mean - right_mean) / max(abs(left_mean) + abs(right_mean), 0.1) if both else 0.0),
        mean_swing_clearance_m=number(np.mean(clearances)) if clearances else 0.0,
        stance_width_m=StanceWidth(mean=number(width.mean()), min=number(width.min())),
        crossed_feet_fraction=number((width < 0.02).mean()),
        double_support_fraction=number((contact["left"] & contact["right"]).mean()),
        flight_fraction=number((~contact["left"] & ~contact["right"]).mean()),
        max_knee_flexion_rad=flexion,
        knee_asymmetry=number(abs(ranges[0] - ranges[1]) / max(sum(ranges), 0.1)) if len(ranges) == 2 else 0.0,
        foot_slip_mps=number(np.mean(slips)) if slips else 0.0,
        **{name: number(value) for name in _FIGURES if (value := figures.number(name)) is not None},
    )


def _smoothness(t: Trajectory) -> Smoothness:
    velocity = t.com()[1]
    acceleration = np.diff(velocity, axis=0) / t.dt
    jerk = np.diff(acceleration, axis=0) / t.dt
    rates = np.diff(t.muscles("act"), axis=0) / t.dt
    return Smoothness(
        joint_velocity_rms_rads=number(np.sqrt(np.mean(np.square(t.joint_velocity())))),
        jerk=number(np.sqrt(np.mean(np.sum(jerk**2, axis=1)))) if len(jerk) else 0.0,
        com_acceleration_rms=number(np.sqrt(np.mean(np.sum(acceleration**2, axis=1)))) if len(acceleration) else 0.0,
        activation_rate_rms=number(np.sqrt(np.mean(rates**2))) if rates.size else 0.0,
    )


def _effort(t: Trajectory) -> Effort:
    activation, excitation = t.muscles("act"), t.muscles("ctrl")
    order = np.argsort(-activation.mean(0), kind="stable")[:5]
    return Effort(
        mean_squared_activation=number(np.mean(activation**2)) if activation.size else 0.0,
        peak_muscles=[t.layout.muscles[i] for i in order],
        saturated_fraction=number((excitation > 0.95).mean()) if excitation.size else 0.0,
    )


def _measures(task: str, metrics: Mapping[str, Any]) -> Measures:
    try:
        return Measures(atomic.plain(metrics))
    except ValidationError as error:
        name = error.errors(include_url=False)[0]["loc"][0]
        value = str(metrics.get(str(name)))[:40]
        raise MovlrError(f"The task {task} measures {name} as {value!r}: a metric is a number, True, False or None.") from None


def term_statistics(
    values: np.ndarray,
    names: Sequence[str],
    weights: Sequence[float],
    classes: Mapping[str, str] | None = None,
    spread: np.ndarray | None = None,
) -> dict[str, Term]:
    """Return what each term did over an episode.

    Args:
        values: float[T, n], unweighted.
        names: the n terms.
        weights: the n weights.
        classes: term -> class; names of the library are known, others are "custom".
        spread: float[P, n], how far each weighted term set the candidates of each plan apart; None where that is not known.

    Returns:
        term -> weight, class, mean, std, min, max (unweighted) and share_of_spread: the standard deviation of the
        weighted term over the sum of those of all; and the same among candidates, where it is known.
    """
    values = np.nan_to_num(np.asarray(values, np.float64))
    weight = np.asarray(weights, np.float64)
    over_time = np.abs(weight) * values.std(0)
    total = max(float(over_time.sum()), 1e-12)
    shares = None if spread is None else _shares(np.nan_to_num(np.asarray(spread, np.float64)))
    result = {}
    for i, name in enumerate(names):
        known = library.LIBRARY[name].term_class if name in library.LIBRARY else "custom"
        column = values[:, i]
        result[name] = Term(
            weight=number(weight[i]),
            term_class=(classes or {}).get(name, known),
            mean=number(column.mean()),
            std=number(column.std()),
            min=number(column.min()),
            max=number(column.max()),
            share_of_spread=number(over_time[i] / total),
            **({} if shares is None else {"share_among_candidates": number(shares[i])}),
        )
    return result


def _shares(spread: np.ndarray) -> np.ndarray | None:
    """Return each term's share of the spread among candidates, mean over the plans in which any term set them apart; None without such."""
    total = spread.sum(axis=1)
    told = total > 0
    return (spread[told] / total[told, None]).mean(axis=0) if told.any() else None


def describe(
    instants: np.ndarray,
    layout: FeatureLayout,
    *,
    task: str,
    goal: str,
    goal_speed_mps: float | None = None,
    metrics: Mapping[str, Any] | None = None,
    episodes: Sequence[Mapping[str, Any]] = (),
    terms: np.ndarray | None = None,
    term_names: Sequence[str] = (),
    weights: Sequence[float] = (),
    term_classes: Mapping[str, str] | None = None,
    seconds: float | None = None,
    fall_rule: FallRule = LOWERED,
    spoken: bool = False,
    lacking: Sequence[str] = (),
    spread: np.ndarray | None = None,
    parameters: Mapping[str, Parameter] | None = None,
) -> Facts:
    """Describe one episode in numbers.

    Args:
        instants: float[T, f], in order of time.
        layout: where quantities stand in an instant.
        task: the task's name.
        goal: the goal sentence.
        goal_speed_mps: forward speed asked for (m/s); None or 0 when the task asks for none.
        metrics: mean metrics over the episodes of this reward.
        episodes: the metrics of each episode.
        terms: float[T, n], unweighted term values.
        term_names: the n terms.
        weights: the n weights.
        term_classes: term -> class, for terms that are not the library's.
        seconds: length asked of the episode (s); the length of the record when None.
        fall_rule: what is a fall.
        spoken: whether the goal is a user's sentence, by which the episode is measured.
        lacking: metrics of the goal that the body lacks the landmarks for.
        spread: float[T, n], how far each weighted term set the candidates of each plan apart (`Rollout.spread`); None: not known.
        parameters: the reward's declared constants, as they were; none where it declares none.

    Returns:
        The facts. Gait, smoothness, posture means, angles and phases (three thirds) are those of the time upright, shares among candidates
        those of the plans before the first sign of a fall. A hand with an object has what `handling_facts` tells, another body without feet
        what `joint_facts` tells; their posture and gait are empty.

    Raises:
        ValueError: there are no instants, or their width is not the layout's.
        MovlrError: a metric is no number.
    """
    instants = np.asarray(instants)
    if instants.ndim != 2 or not len(instants) or instants.shape[1] != layout.size:
        raise ValueError(f"Instants of shape [T > 0, {layout.size}] are needed, not {instants.shape}.")
    # A diverged world leaves numbers that are no posture; what came before them still is.
    finite = np.isfinite(instants).all(1)
    usable = len(instants) if finite.all() else max(int(np.argmin(finite)), 1)
    whole = Trajectory(np.nan_to_num(instants[:usable]), layout)
    measures = [_measures(task, episode) for episode in episodes]
    of_every_body: dict[str, Any] = {
        "goal": goal,
        "task": task,
        "spoken": spoken,
        "lacking": list(lacking),
        "goal_speed_mps": None if goal_speed_mps is None else float(goal_speed_mps),
        "seconds": float(seconds if seconds is not None else whole.time[-1]),
        "metrics": _measures(task, metrics or {}),
        "episodes": measures,
        "terms": {} if terms is None else term_statistics(terms[:usable], term_names, weights, term_classes, spread),
        **({"parameters": {name: Constant(**dataclasses.asdict(p)) for name, p in parameters.items()}} if parameters else {}),
        "effort": _effort(whole),
        "smoothness": _smoothness(whole),
        "posture": Posture(),
        "gait": Gait(),
        "fall": None,
    }
    if whole.has("object"):
        thing, phases = handling_facts.describe(whole, bool(measures and measures[0].dropped))
        return Facts(**of_every_body, object=thing, phases=phases)
    if not whole.has("left.foot"):
        joints, landmarks, phases = joint_facts.describe(whole)
        return Facts(**of_every_body, joints=joints, landmarks=landmarks, phases=phases)
    signal = signals(whole)
    fall = _fall(signal, whole.time, np.asarray(fall_rule.over(layout, whole.instants)))
    if fall is not None and terms is not None and spread is not None:
        calm_plans = max(int(np.searchsorted(whole.time, fall.first_sign_s)), 1)
        of_every_body["terms"] = term_statistics(terms[:usable], term_names, weights, term_classes, spread[:calm_plans])
    upright_until = int(np.searchsorted(whole.time, fall.time_s)) if fall else usable
    upright_until = min(max(upright_until, 2), usable)
    upright = Trajectory(whole.instants[:upright_until], layout)
    calm = {name: values[:upright_until] for name, values in signal.items()}
    time = upright.time

    posture = {
        name: _signal(values, time, least=name.endswith("height_ratio"))
        for name, values in calm.items()
        if name not in ("speed_mps", "lateral_m")
    }
    ahead, left, inside = margin.over_time(upright)
    posture["extrapolated_com_ahead_of_feet_m"] = _signal(ahead, time)
    posture["extrapolated_com_left_of_feet_m"] = _signal(left, time)
    posture["extrapolated_com_margin_m"] = _signal(inside, time, least=True)
    for side in SIDES:  # what a sentence such as "raise the left knee" asks for
        if upright.has(f"{side}.knee"):
            posture[f"{side}_knee_height_m"] = _signal(upright.height(f"{side}.knee"), time)
        lift = upright.height(f"{side}.foot") - layout.standing.get(f"{side}_foot_height", 0.0)
        posture[f"{side}_foot_lift_m"] = _signal(lift, time)
        posture[f"{side}_load_bw"] = _signal(upright.gait(side, "load"), time)

    phases = [
        Phase(
            name=name,
            from_s=number(time[part[0]]),
            to_s=number(time[part[-1]]),
            **{key: number(values[part].mean()) for key, values in calm.items()},
        )
        for name, part in thirds(time)
    ]
    of_the_upright: dict[str, Any] = {
        "posture": Posture(**posture),
        "angles": leg_facts.angles(upright, None if fall is None else fall.first_sign_s),
        "gait": _gait(upright, measures[0] if measures else of_every_body["metrics"]),
        "smoothness": _smoothness(upright),
        "effort": _effort(upright),
        "fall": fall,
    }
    return Facts(**(of_every_body | of_the_upright), phases=phases)
