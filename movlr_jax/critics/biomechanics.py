"""The offline critic: it needs no key, no network, no GPU and no video. It reads the facts and fills the same schema as
a model would.

It asks, in this order: does the body stay up (and if not, in which direction and how it fell), does it do what was
asked (speed, drift, heading, and the words of the goal that `goals` understands), and does it move well (feet, knees,
symmetry, effort, smoothness). While the body is unstable nothing is said about finesse. `compare` is a documented
score, so the order of its arguments cannot matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from movlr_jax import goals
from movlr_jax.critics import handling
from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import FAULTS, STAGES, Critique, Fault, Phase, Preference
from movlr_jax.critics.remedies import suggest
from movlr_jax.goals import Goal, Part

Facts = Mapping[str, Any]

# Two scores (0 to 100) closer than this are a tie: the spread between seeds of one reward is larger.
TIE = 1.0
# Bands of a level walk. Speeds and widths: Perry & Burnfield, Gait Analysis; the rest is what separates the package's
# own human-designed walks from falls and shuffles.
GOOD_SPEED_SHARE = 0.9  # of the goal speed
STALLED = 0.25  # of the goal speed: below it the body does not walk, it stays (the tasks' gate "moved" draws the same line)
DRIFT_SHARE = 0.1  # lateral drift per distance walked
HEADING = 0.2  # rad
CLEARANCE = 0.03  # m
NARROW = 0.06  # m between the feet
WIDE = 0.28  # m
ASYMMETRY = 0.3
STIFF_KNEE = 0.5  # rad of flexion in swing
SLIP = 0.25  # m/s
EFFORT = 0.12  # mean squared activation
SHORTEST = 1.0  # s upright: of a body that falls sooner neither progress nor coordination can be told
JERK = 300.0  # m/s^3 of the centre of mass; planned walks that look even measure 250 to 300


def _ramp(value: float, low: float, high: float) -> float:
    """0 at low, 1 at high, linear between; low may exceed high."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _get(facts: Facts, *path: str, default: float = 0.0) -> float:
    node: Any = facts
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return default if node is None else float(node)


def _wanted_speed(facts: Facts) -> float:
    return float(facts.get("goal_speed_mps") or 0.0)


def _phase_of(facts: Facts, time_s: float) -> Phase:
    for phase in facts.get("phases", ()):
        if time_s <= phase["to_s"] and phase["name"] in ("start", "middle", "end"):
            name: Phase = phase["name"]
            return name
    return "end"


def _fell_share(facts: Facts) -> float:
    """Share of the episodes that fell, or dropped their object; the described episode alone when there is no list."""
    if handling.about(facts):
        return handling.drop_share(facts)
    episodes = facts.get("episodes") or ()
    if episodes:
        return sum(bool(e.get("fell")) for e in episodes) / len(episodes)
    return 1.0 if facts.get("fall") or facts.get("metrics", {}).get("fell") else 0.0


def _upright_share(facts: Facts) -> float:
    """Share of the asked time that the body stayed up, mean over the episodes."""
    asked = max(float(facts.get("seconds") or 0.0), 1e-6)
    shares = []
    for episode in facts.get("episodes") or ():
        asked_here = max(asked, float(episode.get("seconds") or 0.0))
        time = episode.get("fall_time_s") if episode.get("fell") else asked_here
        shares.append(min(float(asked_here if time is None else time) / asked_here, 1.0))
    if shares:
        return sum(shares) / len(shares)
    fall = facts.get("fall")
    return min(float(fall["time_s"]) / asked, 1.0) if fall else 1.0


def _walking(facts: Facts) -> bool:
    """Tell whether the task has a way to go."""
    return _wanted_speed(facts) > 0.05


def _by_sentence(facts: Facts) -> bool:
    """Tell whether the words of the goal are measured: a task with a way to go has a measure of its own, unless a user gave the goal."""
    return bool(facts.get("spoken")) or not _walking(facts)


def _goal(facts: Facts) -> Goal:
    """Return what the words of the goal ask for beside the task's own way to go."""
    goal = goals.read(str(facts.get("goal", ""))) if _by_sentence(facts) else Goal("")
    return goal.without("not_walking") if _walking(facts) else goal


def _record(facts: Facts, goal: Goal) -> dict[str, Any]:
    """Return the numbers of the goal's words: means over the episodes; in facts of earlier versions what they had in their place."""
    metrics = facts.get("metrics", {})
    record: dict[str, Any] = {}
    for part in goal.parts:
        signal, statistic = part.target.older
        older = metrics.get("mean_speed_mps") if part.target.signal == "speed" else None
        if signal in (posture := facts.get("posture", {})):
            older = posture[signal].get(statistic)
        record[part.metric] = None if older is None else float(older)
    return record | {name: value for name, value in metrics.items() if name.startswith("goal_")}


def _reached(facts: Facts) -> float:
    """Return the share of the goal that was reached, 0 to 1; 0 where nothing of it is measured."""
    progress = []
    if _walking(facts):
        progress = [min(max(_distance(facts) / max(_wanted_speed(facts) * float(facts.get("seconds") or 0.0), 1e-6), 0.0), 1.0)]
    if not _by_sentence(facts):
        return progress[0]
    metrics, goal = facts.get("metrics", {}), _goal(facts)
    reached = metrics[goals.REACHED] if goals.REACHED in metrics else goal.reached(_record(facts, goal), progress)
    if goal.stays and not _walking(facts):
        reached = (reached or 0.0) * (1.0 - _ramp(_away(facts), goals.PLACE, 6.0 * goals.PLACE))
    return float(reached or 0.0)


def _away(facts: Facts) -> float:
    return math.hypot(_distance(facts), _lateral(facts))


def _distance(facts: Facts) -> float:
    metrics = facts.get("metrics", {})
    if metrics.get("distance_m") is not None:
        return float(metrics["distance_m"])
    return sum(float(p["speed_mps"]) * (float(p["to_s"]) - float(p["from_s"])) for p in facts.get("phases", ()))


def _lateral(facts: Facts) -> float:
    """Drift to the left (m): its size is the metrics' where they have it, its side is the described episode's."""
    phases = facts.get("phases", ())
    here = float(phases[-1].get("lateral_m", 0.0)) if phases else 0.0
    size = facts.get("metrics", {}).get("lateral_drift_m")
    return here if size is None else math.copysign(abs(float(size)), here)


def _heading(facts: Facts) -> float:
    """Turn to the left (rad): its size is the metrics' where they have it, its side is the described episode's."""
    here = _get(facts, "posture", "heading_rad", "mean")
    size = facts.get("metrics", {}).get("heading_error_rad")
    return here if size is None else math.copysign(abs(float(size)), here)


def _fault(kind: str, what: str, body_part: str, phase: Phase, severity: float) -> Fault:
    return Fault(kind=kind, what=what, body_part=body_part, phase=phase, severity=round(severity, 3), stage=FAULTS[kind][0])


_SIGN_WORDS = {
    "trunk_pitch_rad": "the trunk pitches",
    "trunk_roll_rad": "the trunk tips sideways",
    "pelvis_height_ratio": "the pelvis sinks",
    "com_ahead_of_feet_m": "the centre of mass leaves the feet lengthwise",
    "com_left_of_feet_m": "the centre of mass leaves the feet sideways",
}


def _stability(facts: Facts, allowed: set[str]) -> list[Fault]:
    faults: list[Fault] = []
    metrics, fall = facts.get("metrics", {}), facts.get("fall")
    if metrics.get("diverged"):
        faults.append(_fault("diverged", "The simulation diverged: the motion is not physical.", "whole body", "throughout", 1.0))
    if fall:
        early = 1.0 - 0.3 * min(float(fall["time_s"]) / max(float(facts.get("seconds") or 1.0), 1e-6), 1.0)
        sign = _SIGN_WORDS.get(fall["first_sign"], fall["first_sign"])
        straight_down = fall["first_sign"] == "pelvis_height_ratio" and float(fall.get("lean_m", 1.0)) < 0.2
        kind = "collapse" if straight_down else f"fall_{fall['direction']}"
        where = {"pelvis_height_ratio": "legs", "trunk_pitch_rad": "trunk", "trunk_roll_rad": "trunk"}.get(fall["first_sign"], "whole body")
        what = "The legs give way" if straight_down else f"The body falls {fall['direction']}"
        if not straight_down and fall["direction"] in ("left", "right"):
            what = f"The body falls to the {fall['direction']}"
        faults.append(
            _fault(
                kind,
                f"{what} at {fall['time_s']:.2f} s; first, {sign} at {fall['first_sign_s']:.2f} s.",
                where,
                "fall",
                early,
            )
        )
    elif (share := _fell_share(facts)) > 0:
        ahead = _get(facts, "posture", "com_ahead_of_feet_m", "mean")
        kind = "fall_forward" if ahead >= 0 else "fall_backward"
        what = f"The body falls in {share:.0%} of the episodes, though not in the one that was filmed."
        faults.append(_fault(kind, what, "whole body", "fall", 0.4 + 0.5 * share))

    # How it stood while it was up. After a fall these are its causes, so they are named though they hardly matter by
    # themselves.
    pitch, pitch_at = (
        _get(facts, "posture", "trunk_pitch_rad", "mean"),
        _get(facts, "posture", "trunk_pitch_rad", "at_s"),
    )
    if abs(pitch) > 0.15:
        kind, way = ("lean_forward", "forward") if pitch > 0 else ("lean_backward", "backward")
        severity = 0.2 + 0.6 * _ramp(abs(pitch), 0.15, 0.6)
        what = f"The trunk leans {way} by {abs(pitch):.2f} rad on average."
        faults.append(_fault(kind, what, "trunk", _phase_of(facts, pitch_at), severity))
    roll, roll_at = _get(facts, "posture", "trunk_roll_rad", "mean"), _get(facts, "posture", "trunk_roll_rad", "at_s")
    if abs(roll) > 0.1:
        way = "right" if roll > 0 else "left"
        severity = 0.2 + 0.6 * _ramp(abs(roll), 0.1, 0.5)
        what = f"The trunk leans to the {way} by {abs(roll):.2f} rad on average."
        faults.append(_fault("lean_sideways", what, "trunk", _phase_of(facts, roll_at), severity))
    height = min(
        _get(facts, "posture", "pelvis_height_ratio", "mean", default=1.0),
        _get(facts, "posture", "head_height_ratio", "mean", default=1.0),
    )
    if height < goals.STANDING:
        severity = 0.2 + 0.6 * _ramp(height, goals.STANDING, 0.75)
        what = f"The body is held low: {height:.2f} of its standing height on average."
        faults.append(_fault("crouch", what, "pelvis", "throughout", severity))
    ahead = _get(facts, "posture", "com_ahead_of_feet_m", "mean")
    if abs(ahead) > 0.12:
        kind, way = ("com_ahead", "ahead of") if ahead > 0 else ("com_behind", "behind")
        severity = 0.2 + 0.5 * _ramp(abs(ahead), 0.12, 0.35)
        what = f"The centre of mass is {abs(ahead):.2f} m {way} the feet on average."
        faults.append(_fault(kind, what, "whole body", "throughout", severity))
    aside = _get(facts, "posture", "com_left_of_feet_m", "mean")
    if abs(aside) > 0.08:
        severity = 0.2 + 0.5 * _ramp(abs(aside), 0.08, 0.25)
        what = f"The centre of mass is {abs(aside):.2f} m to the {'left' if aside > 0 else 'right'} of the feet on average."
        faults.append(_fault("com_aside", what, "whole body", "throughout", severity))
    sway = abs(_get(facts, "posture", "trunk_roll_rad", "max"))
    if not fall and abs(roll) <= 0.1 and sway > 0.2:
        what = f"The trunk sways to a side by up to {sway:.2f} rad."
        faults.append(_fault("sway", what, "trunk", _phase_of(facts, roll_at), 0.2 + 0.4 * _ramp(sway, 0.2, 0.5)))
    if fall or _fell_share(facts) > 0:  # the fall itself leads
        return [f for f in faults if f.kind not in allowed or f.phase == "fall"]
    return [f for f in faults if f.kind not in allowed]


def _asked(facts: Facts, goal: Goal) -> list[Fault]:
    """Return what of the goal's words was not done, and which of them nothing measures."""
    record, faults = _record(facts, goal), []

    def add(kind: str, what: str, body_part: str, phase: Phase, severity: float) -> None:
        faults.append(_fault(kind, what[0].upper() + what[1:] + ".", body_part, phase, severity))

    lacking = facts.get("lacking") or ()
    for part in goal.measured(lacking):
        value = record.get(part.metric)
        if not part.done(value):
            kind = "unwanted" if part.avoid else part.target.kind
            add(kind, part.fault(value), part.target.body_part, _when(part), 0.3 + 0.6 * (1.0 - part.level(value)))
    moving, feet = record.get(goals.MOVING), record.get(goals.FEET)
    if goal.holds and moving is not None and moving > goals.HOLD_SPEED:
        what = f"over the last third the pelvis still moves at {moving:.2f} m/s, to hold is {goals.HOLD_SPEED:.2f} m/s at most"
        add("not_held", what, "pelvis", "end", 0.3 + 0.6 * _ramp(moving, goals.HOLD_SPEED, 5.0 * goals.HOLD_SPEED))
    sinking = record.get(goals.SINKING)
    if goal.holds and sinking is not None and sinking > goals.HOLD_DRIFT:
        what = f"over the last third the pelvis sinks or rises at {sinking:.2f} m/s, to hold is {goals.HOLD_DRIFT:.2f} m/s at most"
        add("not_held", what, "pelvis", "end", 0.3 + 0.6 * _ramp(sinking, goals.HOLD_DRIFT, 5.0 * goals.HOLD_DRIFT))
    if goal.holds and feet is not None and feet < goals.HOLD_CONTACT:
        which = {"both": "both feet are", "one": "a foot is"}.get(goal.planted, f"the {goal.planted} foot is")
        what = f"over the last third {which} on the ground for {feet:.0%} of the time, to stand is {goals.HOLD_CONTACT:.0%}"
        add("foot_off_ground", what, "feet", "end", 0.3 + 0.6 * _ramp(feet, goals.HOLD_CONTACT, 0.0))
    held = record.get(goals.HELD)
    if held is not None and held < 1 and not faults:
        add("not_held", f"it is held in {float(held):.0%} of the episodes alone", "whole body", "end", 0.3 + 0.6 * (1.0 - float(held)))
    faults.sort(key=lambda f: -f.severity)
    said = [f"'{text}'" for text in goal.unread] + [f"the {p.target.what}, on this body" for p in goal.parts if p.metric in lacking]
    if said:
        add("unmeasured", f"nothing here measures {', '.join(said)}", "whole body", "throughout", 0.3)
    return faults


def _when(part: Part) -> Phase:
    return "end" if part.at_end else "throughout"


def _progress(facts: Facts, goal: Goal) -> list[Fault]:
    faults: list[Fault] = []
    wanted, distance, lateral = _wanted_speed(facts), _distance(facts), _lateral(facts)
    upright = _upright_share(facts) * float(facts.get("seconds") or 0.0)
    heading = _heading(facts)
    if wanted > 0.05 and upright > 0:
        speed = distance / upright
        slow = min(facts.get("phases", ()), key=lambda p: p["speed_mps"], default=None)
        slowest: Phase = "throughout" if slow is None else slow["name"]
        if speed < -0.05:
            faults.append(_fault("backward", f"The body moves backward, at {-speed:.2f} m/s.", "whole body", slowest, 0.9))
        elif speed < STALLED * wanted:
            faults.append(
                _fault(
                    "not_moving",
                    f"The body hardly moves: {speed:.2f} of {wanted:.2f} m/s.",
                    "whole body",
                    "throughout",
                    0.9,
                )
            )
        elif speed < GOOD_SPEED_SHARE * wanted:
            severity = 0.2 + 0.6 * _ramp(speed / wanted, GOOD_SPEED_SHARE, 0.3)
            what = f"Forward speed is {speed:.2f} of {wanted:.2f} m/s, slowest in the {slowest}."
            faults.append(_fault("too_slow", what, "whole body", slowest, severity))
        elif speed > 1.5 * wanted:
            severity = 0.2 + 0.4 * _ramp(speed / wanted, 1.5, 2.5)
            faults.append(
                _fault(
                    "too_fast",
                    f"Forward speed is {speed:.2f}, asked were {wanted:.2f} m/s.",
                    "whole body",
                    "throughout",
                    severity,
                )
            )
        drift = abs(lateral) / max(distance, 0.5)
        if drift > DRIFT_SHARE:
            way = "left" if lateral > 0 else "right"
            severity = 0.2 + 0.5 * _ramp(drift, DRIFT_SHARE, 0.5)
            what = f"The body drifts {abs(lateral):.2f} m to the {way} over {distance:.2f} m."
            faults.append(_fault("drift", what, "whole body", "end", severity))
    if abs(heading) > HEADING:
        way = "left" if heading > 0 else "right"
        severity = 0.2 + 0.5 * _ramp(abs(heading), HEADING, 0.8)
        what = f"The pelvis is turned to the {way} by {abs(heading):.2f} rad."
        faults.append(_fault("veer", what, "pelvis", _phase_of(facts, _get(facts, "posture", "heading_rad", "at_s")), severity))
    faults += _asked(facts, goal)
    if wanted <= 0.05 and goal.stays and (away := _away(facts)) > goals.PLACE:
        what = f"The body moves {away:.2f} m from where it was to stay, {goals.PLACE:g} m are allowed."
        faults.append(_fault("wander", what, "whole body", "throughout", 0.2 + 0.5 * _ramp(away, goals.PLACE, 4.0 * goals.PLACE)))
    return faults


def _coordination(facts: Facts, walking: bool) -> list[Fault]:
    faults: list[Fault] = []
    gait, smooth = facts.get("gait", {}), facts.get("smoothness", {})
    narrow, crossed = (
        _get(facts, "gait", "stance_width_m", "min", default=0.2),
        _get(facts, "gait", "crossed_feet_fraction"),
    )
    if crossed > 0.02:
        severity = 0.2 + 0.5 * _ramp(crossed, 0.02, 0.4)
        faults.append(_fault("crossed_feet", f"The feet cross during {crossed:.0%} of the time.", "feet", "swing", severity))
    elif narrow < NARROW:
        what = f"The feet come as close as {narrow:.2f} m."
        faults.append(_fault("narrow_stance", what, "feet", "swing", 0.2 + 0.3 * _ramp(narrow, NARROW, 0.0)))
    wide = _get(facts, "gait", "stance_width_m", "mean", default=0.2)
    if wide > WIDE:
        what = f"The feet are {wide:.2f} m apart on average."
        faults.append(_fault("wide_stance", what, "feet", "throughout", 0.2 + 0.4 * _ramp(wide, WIDE, 0.5)))
    if walking:
        steps, wanted = int(gait.get("steps", 0)), _wanted_speed(facts)
        moved = _distance(facts)
        if steps < 2:
            faults.append(_fault("no_steps", f"There are {steps} steps.", "feet", "throughout", 0.5))
        else:
            length = _get(facts, "gait", "mean_step_length_m")
            if wanted > 0.05 and length < 0.25 * wanted:
                severity = 0.2 + 0.3 * _ramp(length / wanted, 0.25, 0.0)
                faults.append(_fault("shuffle", f"Steps are {length:.2f} m long on average.", "feet", "swing", severity))
            uneven = max(_get(facts, "gait", "step_length_asymmetry"), _get(facts, "gait", "knee_asymmetry"))
            if uneven > ASYMMETRY:
                what = f"Left and right differ by {uneven:.0%} in step length or knee movement."
                faults.append(_fault("asymmetry", what, "legs", "swing", 0.2 + 0.3 * _ramp(uneven, ASYMMETRY, 1.0)))
            clearance = _get(facts, "gait", "mean_swing_clearance_m")
            if clearance < CLEARANCE:
                what = f"The swinging toes rise by {clearance:.3f} m only."
                faults.append(_fault("low_clearance", what, "feet", "swing", 0.2 + 0.3 * _ramp(clearance, CLEARANCE, 0.0)))
            bends = {s: v for s, v in (gait.get("max_knee_flexion_rad") or {}).items() if v is not None}
            if bends and min(bends.values()) < STIFF_KNEE:
                side = min(bends, key=lambda s: bends[s])
                what = f"The {side} knee bends by {bends[side]:.2f} rad at most."
                faults.append(_fault("stiff_knee", what, f"{side} knee", "swing", 0.2 + 0.3 * _ramp(bends[side], STIFF_KNEE, 0.1)))
            flight = _get(facts, "gait", "flight_fraction")
            if flight > 0.1 and moved < 2.0 * float(facts.get("seconds") or 1.0):
                what = f"Both feet are off the ground during {flight:.0%} of the time."
                faults.append(_fault("flight", what, "feet", "swing", 0.2 + 0.3 * _ramp(flight, 0.1, 0.5)))
    slip = _get(facts, "gait", "foot_slip_mps")
    if slip > SLIP:
        faults.append(
            _fault(
                "foot_slip",
                f"Loaded feet slide at {slip:.2f} m/s.",
                "feet",
                "stance",
                0.2 + 0.3 * _ramp(slip, SLIP, 0.8),
            )
        )
    effort = _get(facts, "effort", "mean_squared_activation")
    if effort > EFFORT:
        muscles = ", ".join((facts.get("effort", {}).get("peak_muscles") or ())[:3])
        what = f"Mean squared activation is {effort:.2f}; most active: {muscles or 'unknown'}."
        faults.append(_fault("effort", what, "muscles", "throughout", 0.1 + 0.3 * _ramp(effort, EFFORT, 0.4)))
    jerk = float(smooth.get("jerk") or 0.0)
    if jerk > JERK:
        what = f"The centre of mass jerks ({jerk:.0f} m/s^3)."
        faults.append(_fault("jerk", what, "whole body", "throughout", 0.1 + 0.3 * _ramp(jerk, JERK, 3 * JERK)))
    return faults


def _gates(facts: Facts) -> dict[str, bool]:
    """Return the physical gates of the described motion: fell, diverged, moved (True where no speed is asked for)."""
    wanted = _wanted_speed(facts)
    needed = STALLED * wanted * float(facts.get("seconds") or 0.0)
    return {
        "fell": _fell_share(facts) > 0,
        "diverged": bool(facts.get("metrics", {}).get("diverged")),
        "moved": wanted <= 0.05 or _distance(facts) >= needed,
    }


def score(facts: Facts) -> float:
    """Score a motion, 0 to 100.

    40 x share of the time upright
    + 40 x share of the goal reached x share of the time upright (a lunge that ends in a fall is no progress)
    + 10 x straightness (1 without lateral drift and heading error, 0 at 0.5 m per m walked or at 0.8 rad)
    + 10 x coordination (1 minus the summed severities of coordination faults over 2).

    A hand with an object has a score of its own (`handling.score`).

    Straightness and coordination count by the share of the time upright, too. The share of the goal is distance over
    goal speed times time; without a goal speed, or where a user gave the goal, how far its words were reached
    (`goals.Goal.reached`), within 0.25 m for a sentence that asks to stay. What nothing measures was not reached: a goal of
    which nothing is measured scores 60 at most.
    """
    if handling.about(facts):
        return handling.score(facts)
    upright, walking, goal = _upright_share(facts), _walking(facts), _goal(facts)
    drift = abs(_lateral(facts)) / max(_distance(facts), 0.5) if walking else 0.0
    straight = 1.0 - max(_ramp(drift, 0.0, 0.5), _ramp(abs(_heading(facts)), 0.0, 0.8))
    clumsy = sum(f.severity for f in _coordination(facts, walking or goal.walks))
    finesse = 1.0 - _ramp(clumsy, 0.0, 2.0)
    return round(40.0 * upright + upright * (40.0 * _reached(facts) + 10.0 * straight + 10.0 * finesse), 3)


class BiomechanicsCritic:
    """Judges from measured facts alone; the clip is not opened."""

    name = "biomechanics"

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Judge one motion.

        Args:
            clip: ignored.
            facts: the record of `movlr_jax.tasks.facts.describe`.
        """
        del clip
        if handling.about(facts):
            return self._handled(facts)
        goal = _goal(facts)
        allowed = goal.allowed()
        walking = _walking(facts) or goal.walks
        found = _stability(facts, allowed)
        if _upright_share(facts) * float(facts.get("seconds") or 0.0) >= SHORTEST or not facts.get("fall"):
            found += _progress(facts, goal)
            found += [f for f in _coordination(facts, walking) if f.kind not in allowed]
        faults = sorted(found, key=lambda f: (STAGES.index(f.stage), -f.severity))
        excluded: set[str] = set()
        if "crouch" in allowed:
            excluded |= {"pelvis_height", "head_height", "stance_knee", "posture", "no_sinking"}
        if "lean_forward" in allowed:
            excluded |= {"trunk_upright", "trunk_pitch"} | ({"upright"} if goal.asks("not_leaning_forward", "not_lying") else set())
        if any(part.target.kind.endswith(("knee_low", "foot_down")) for part in goal.asked):
            excluded |= {"posture", "feet_not_wide", "balance", "hip_level"}
        if not walking:
            excluded |= {"forward_speed", "speed_match", "step_length", "alternation", "step_symmetry", "lead_foot"}
        suggestions = suggest(faults, facts.get("terms", {}), excluded)
        understood = _walking(facts) or bool(goal.measured(facts.get("lacking") or ()))
        success = understood and not any(f.stage != "coordination" and f.severity >= 0.3 for f in faults)
        return Critique(
            success=success,
            summary=self._summary(facts, goal, faults, success, understood),
            faults=tuple(faults),
            suggestions=suggestions,
        )

    def _handled(self, facts: Facts) -> Critique:
        """Judge a hand with an object."""
        faults = sorted(handling.faults(facts), key=lambda f: (STAGES.index(f.stage), -f.severity))
        success = not any(f.stage != "coordination" and f.severity >= 0.3 for f in faults)
        return Critique(
            success=success,
            summary=handling.summary(facts, faults[0] if faults else None, success),
            faults=tuple(faults),
            suggestions=suggest(faults, facts.get("terms", {})),
        )

    def _summary(self, facts: Facts, goal: Goal, faults: list[Fault], success: bool, understood: bool) -> str:
        distance, seconds = _distance(facts), float(facts.get("seconds") or 0.0)
        head = f"{distance:.2f} m in {seconds:.1f} s, upright {_upright_share(facts):.0%} of the time."
        if not understood:
            head += " The goal's words name nothing this critic can measure: it judges stability alone."
        elif goal.unread and not any(f.kind == "unmeasured" for f in faults[:1]):
            head += f" Nothing here measures {', '.join(repr(text) for text in goal.unread)}."
        if faults:
            return f"{head} {'Done, though: ' if success else ''}{faults[0].what}"
        return f"{head} {'The goal is met.' if success else 'Nothing measurable is wrong.'}"

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Prefer by gates (not diverged, fewer falls, moved), then by `score`; closer than TIE is a tie."""

        def rank(facts: Facts) -> tuple[int, float, int]:
            passed = _gates(facts)
            return (int(not passed["diverged"]), round(1.0 - _fell_share(facts), 6), int(passed["moved"]))

        first, second = score(a.facts), score(b.facts)
        rank_a, rank_b = rank(a.facts), rank(b.facts)
        if rank_a[:2] != rank_b[:2] or (not _gates(a.facts)["fell"] and rank_a != rank_b):
            return Preference(
                winner="a" if rank_a > rank_b else "b",
                reason=f"Physical gates: score {first:.1f} against {second:.1f}.",
            )
        if abs(first - second) < TIE:
            return Preference(winner="tie", reason=f"Scores {first:.1f} and {second:.1f} are too close to call.")
        return Preference(winner="a" if first > second else "b", reason=f"Score {first:.1f} against {second:.1f}.")
