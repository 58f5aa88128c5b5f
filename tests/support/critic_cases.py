"""Facts of many motions, made up by a fixed rule and recorded ones: what the offline critic's judgement is held against."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from support.critic_records import WALK, fall, walk

DATA = Path(__file__).parents[1] / "data"
RECORDED = ("folders-of-0.1", "run-of-0.1")
GOALS = (
    "Walk forward in a straight line with an upright posture.",
    "Squat.",
    "Raise the left knee and stay there.",
    "Raise the left knee without leaning forward.",
    "Stand on one leg.",
    "Stand upright and still.",
    "Lean forward and hold it.",
    "walk to the door",
    "Run!",
    "Sit down, then stand up.",
    "Jump.",
    "Lie down.",
    "Juggle three apples.",
    "Raise the left knee and juggle three apples.",
    "",
)
# Where a number of the sound walk may be drawn anew from: path -> range.
RANGES: dict[str, tuple[float, float]] = {
    "metrics__distance_m": (-1.5, 7.0),
    "metrics__lateral_drift_m": (0.0, 1.5),
    "metrics__heading_error_rad": (0.0, 1.2),
    "metrics__mean_speed_mps": (-0.3, 2.5),
    "posture__trunk_pitch_rad__mean": (-0.7, 0.7),
    "posture__trunk_pitch_rad__at_s": (0.0, 4.0),
    "posture__trunk_roll_rad__mean": (-0.6, 0.6),
    "posture__trunk_roll_rad__max": (-0.6, 0.6),
    "posture__trunk_roll_rad__at_s": (0.0, 4.0),
    "posture__pelvis_height_ratio__mean": (0.5, 1.05),
    "posture__pelvis_height_ratio__min": (0.4, 1.0),
    "posture__head_height_ratio__mean": (0.5, 1.05),
    "posture__heading_rad__mean": (-1.0, 1.0),
    "posture__com_ahead_of_feet_m__mean": (-0.4, 0.4),
    "posture__com_left_of_feet_m__mean": (-0.3, 0.3),
    "posture__left_knee_height_ratio__max": (0.4, 1.1),
    "posture__right_foot_lift_m__mean": (0.0, 0.2),
    "gait__steps": (0, 9),
    "gait__mean_step_length_m": (0.0, 0.6),
    "gait__step_length_asymmetry": (0.0, 1.0),
    "gait__knee_asymmetry": (0.0, 1.0),
    "gait__mean_swing_clearance_m": (0.0, 0.08),
    "gait__stance_width_m__mean": (0.05, 0.6),
    "gait__stance_width_m__min": (-0.1, 0.2),
    "gait__max_knee_flexion_rad__left": (0.0, 1.0),
    "gait__crossed_feet_fraction": (0.0, 0.5),
    "gait__flight_fraction": (0.0, 0.6),
    "gait__foot_slip_mps": (0.0, 1.0),
    "smoothness__jerk": (0.0, 1200.0),
    "effort__mean_squared_activation": (0.0, 0.5),
}
GOAL_METRICS = {
    "goal_reached": (0.0, 1.0),
    "goal_moving_mps": (0.0, 1.0),
    "goal_sinking_mps": (0.0, 0.3),
    "goal_feet_down": (0.0, 1.0),
    "goal_held": (0.0, 1.0),
    "goal_left_knee_height": (0.4, 1.1),
    "goal_pelvis_height": (0.4, 1.0),
    "goal_trunk_pitch_rad": (-0.2, 0.8),
    "goal_standing_height": (0.5, 1.0),
}
# What the gait laboratory measures of a sound walk, and where a figure of it may be drawn anew from.
SOUND = {
    "cadence_spm": 105.0,
    "stance_share": 0.61,
    "step_time_symmetry": 0.97,
    "stance_symmetry": 0.98,
    "touchdowns_per_stride": 1.0,
    "foot_strike_deg": 18.0,
    "toe_drag_share": 0.0,
    "knee_swing_flexion_deg": 55.0,
    "ankle_push_off_deg": 15.0,
    "knee_correlation": 0.95,
}
FIGURES: dict[str, tuple[float, float]] = {
    "stance_share": (0.2, 0.8),
    "step_time_symmetry": (0.3, 1.0),
    "stance_symmetry": (0.3, 1.0),
    "touchdowns_per_stride": (1.0, 6.0),
    "foot_strike_deg": (-40.0, 30.0),
    "toe_drag_share": (0.0, 0.8),
    "knee_swing_flexion_deg": (0.0, 70.0),
    "ankle_push_off_deg": (-20.0, 30.0),
    "cadence_spm": (70.0, 240.0),
}
SIGNS = ("trunk_pitch_rad", "trunk_roll_rad", "pelvis_height_ratio", "com_ahead_of_feet_m", "com_left_of_feet_m")


def _drawn(draw: random.Random, path: str) -> float:
    low, high = RANGES[path]
    return draw.randint(int(low), int(high)) if path.endswith("steps") else round(draw.uniform(low, high), 4)


def _walks(draw: random.Random) -> Iterator[dict[str, Any]]:
    for path in RANGES:  # one thing at a time
        for _ in range(3):
            yield walk(**{path: _drawn(draw, path)})
    for number in range(210):
        paths = draw.sample(list(RANGES), draw.randint(2, 9))
        record = walk(**{path: _drawn(draw, path) for path in paths})
        record["goal"] = GOALS[number % len(GOALS)]
        record["goal_speed_mps"] = draw.choice([0.8, 0.8, 0.0, None, 1.4])
        record["spoken"] = draw.random() < 0.5
        if number % 3 == 0:
            record["metrics"] |= {name: round(draw.uniform(*GOAL_METRICS[name]), 3) for name in draw.sample(list(GOAL_METRICS), 7)}
        if number % 7 == 0:
            record["lacking"] = ["goal_left_knee_height"]
        if number % 5 == 0:
            times = [None if draw.random() < 0.5 else round(draw.uniform(0.3, 4.0), 2) for _ in range(3)]
            record["episodes"] = [{"seed": k, "seconds": t or 4.0, "fell": t is not None, "fall_time_s": t} for k, t in enumerate(times)]
        if number % 11 == 0:
            record["metrics"]["diverged"] = True
        record["terms"]["rest"] = {"weight": 5.0, "class": "custom", "mean": -0.3, "std": 0.0, "min": -0.3, "max": -0.3}
        yield record


def _falls(draw: random.Random) -> Iterator[dict[str, Any]]:
    for direction in ("forward", "backward", "left", "right"):
        for sign in SIGNS:
            record = fall(direction, round(draw.uniform(0.2, 3.9), 2), sign)
            record["fall"]["lean_m"] = 0.05 if direction in ("forward", "left") else 0.4
            for path in draw.sample(list(RANGES), 4):
                *parents, last = path.split("__")
                node = record
                for key in parents:
                    node = node[key]
                node[last] = _drawn(draw, path)
            yield record


def _hands(draw: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(30):
        away, turned = round(draw.uniform(0.0, 0.5), 3), round(draw.uniform(0.0, 2.5), 3)
        time = round(draw.uniform(0.5, 4.5), 2) if number % 3 == 0 else None
        episode = {"seed": 0, "seconds": time or 5.0, "fell": False, "dropped": time is not None, "diverged": number % 13 == 12}
        episode |= {"final_position_error_m": away, "final_orientation_error_rad": turned}
        other = {**episode, "seed": 1, "dropped": number % 4 == 1, "seconds": 2.5 if number % 4 == 1 else 5.0}
        yield {
            "goal": "Grasp the bottle, carry it to the target and tilt it as to pour.",
            "goal_speed_mps": None,
            "spoken": number % 5 == 4,
            "seconds": 5.0,
            "metrics": dict(episode),
            "episodes": [episode] if number % 2 else [episode, other],
            "effort": {"mean_squared_activation": round(draw.uniform(0.0, 0.4), 3), "peak_muscles": [], "saturated_fraction": 0.0},
            "object": {
                "position_error_m": {"start": 0.25, "mean": 0.1, "min": min(away, 0.1), "final": away},
                "orientation_error_rad": {"start": 0.8, "mean": 0.4, "min": min(turned, 0.3), "final": turned},
                "lifted_m": 0.1,
                "speed_mps": round(draw.uniform(0.0, 1.0), 3),
                "palm_distance_m": 0.05,
                "finger_distance_m": {"thumb": 0.04, "index": round(draw.uniform(0.03, 0.25), 3)},
                "dropped": None if time is None else {"time_s": time, "below_start_m": 0.2, "from_palm_m": 0.3},
            },
            "terms": {"position": {"weight": 100.0, "mean": -0.1, "std": 0.1}},
        }


def _sparse() -> Iterator[dict[str, Any]]:
    """Return what earlier versions, and bodies without feet, leave out."""
    for section in ("posture", "gait", "smoothness", "effort", "phases", "terms", "episodes"):
        record = copy.deepcopy(WALK)
        del record[section]
        yield record
    yield {"goal": "Walk.", "goal_speed_mps": 0.8, "seconds": 4.0, "metrics": {"distance_m": 1.0}, "terms": {}}
    yield {"goal": "Walk.", "goal_speed_mps": 0.8, "seconds": 4.0, "metrics": {}, "terms": {}, "phases": WALK["phases"]}
    joint = {"start": 0.0, "end": 0.5, "min": 0.0, "max": 0.5}
    fixed = {
        "posture": {},
        "gait": {},
        "fall": None,
        "joints": {"elbow": joint},
        "landmarks": {"hand": {"path_m": 0.4, "shift_m": [0.1, 0, 0]}},
    }
    phases = [{"name": "end", "from_s": 0.0, "to_s": 2.0, "speed_mps": 0.0, "joint_change": 0.2, "joint_speed": 0.1}]
    for goal in ("Bend the elbow.", "Stand still.", "Raise the left knee."):
        lacking = ["goal_left_knee_height"] if "knee" in goal else []
        yield {
            "goal": goal,
            "goal_speed_mps": None,
            "seconds": 2.0,
            "metrics": {},
            "terms": {},
            "phases": phases,
            "lacking": lacking,
            **fixed,
        }


def _gaits(draw: random.Random) -> Iterator[dict[str, Any]]:
    """Return walks that the gait laboratory measured: figures one at a time, then several."""
    for name in FIGURES:
        for _ in range(4):
            yield walk(gait=WALK["gait"] | SOUND | {name: round(draw.uniform(*FIGURES[name]), 3)})
    for number in range(30):
        names = draw.sample(list(FIGURES), draw.randint(2, 5))
        record = walk(gait=WALK["gait"] | SOUND | {name: round(draw.uniform(*FIGURES[name]), 3) for name in names})
        if number % 3 == 0:
            del record["gait"]["knee_correlation"]  # of legs that no norm fits
        if number % 5 == 0:
            record |= {"goal": GOALS[number % len(GOALS)], "goal_speed_mps": 0.0}
        yield record


def cases() -> Mapping[str, dict[str, Any]]:
    """Return name -> facts, as JSON holds them; the same in every process."""
    draw = random.Random(7)
    found: dict[str, dict[str, Any]] = {}
    for group, records in (("walk", _walks(draw)), ("fall", _falls(draw)), ("hand", _hands(draw)), ("sparse", _sparse())):
        found |= {f"{group} {number}": record for number, record in enumerate(records)}
    for path in sorted(path for folder in RECORDED for path in (DATA / folder).rglob("facts.json")):
        found[f"recorded {path.relative_to(DATA).as_posix()}"] = json.loads(path.read_text())
    found |= {f"gait {number}": record for number, record in enumerate(_gaits(random.Random(8)))}
    return found
