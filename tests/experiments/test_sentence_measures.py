"""The suite of sentences and its measures: motions made by hand that do what is said, and ones that come near it and do not."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import sentence_measures
from sentence_measures import MEASURES, Found, swings
from support.postures import Poser
from support.synthetic import episode, walker

from movlr_jax.control.episode import Rollout
from movlr_jax.rewards.features import feature_layout

Make = Callable[[Poser], Rollout]
LEFT, RIGHT = (
    {f"{side}_hip_flexion": 0.5, f"{side}_knee_flexion": 1.0, "on": other} for side, other in (("left", "right"), ("right", "left"))
)


@pytest.fixture(scope="module")
def poser(myolegs) -> Poser:  # type: ignore[no-untyped-def]
    return Poser(myolegs)


def hold(by: float = 0.8, **posture) -> Make:  # type: ignore[no-untyped-def]
    return lambda p: p.hold(p.pose(**posture), by)


def through(*keys, seconds: float = 3.0) -> Make:  # type: ignore[no-untyped-def]
    """Go from standing through postures, (time (s), posture) or (time, posture, height off the ground (m)); {} is standing."""
    return lambda p: p.motion((0.0, p.pose()), *((key[0], p.pose(**key[1]), *key[2:]) for key in keys), seconds=seconds)


def stroll(dx: float, dy: float, cycles: int, yaw: float = 0.0) -> Make:
    """Go over the ground, cycle after cycle of one step with each foot; feet that stand slide a little."""
    keys, step = [], (2.8 / cycles) / 4
    for n in range(cycles):
        for part, lifted in enumerate((LEFT, None, RIGHT, None), 1):
            at = ((n + part / 4) * dx, (n + part / 4) * dy)
            # A foot that stands is where the body's way has brought it, so that postures on either foot go the same way.
            keys.append(((4 * n + part) * step, {**(lifted or {}), "at": at, "yaw": yaw}))
    return through(*keys)


def steps_round(turn: float) -> Make:
    """Turn on the spot by steps."""
    keys = [(0.3 * n, {**((LEFT, RIGHT)[n // 2 % 2] if n % 2 else {}), "yaw": turn * n / 8}) for n in range(1, 9)]
    return through(*keys)


def topple(p: Poser, pitch: float, left: float) -> Rollout:
    """Tip over as a plank, from 1.5 s on, until the time is up."""
    fallen = p.pose(pitch=pitch, left=left, flat=False)
    return p.motion((0.0, p.pose()), (1.5, p.pose()), (3.0, fallen))


HALF_SQUAT = {"hip_flexion": 0.8, "knee_flexion": 1.2, "pitch": 0.15}
DEEP_SQUAT = {"hip_flexion": 1.5, "knee_flexion": 1.6, "pitch": 0.4}
KNEEL = {
    "right_hip_flexion": 0.0,
    "right_knee_flexion": 1.95,
    "right_ankle_flexion": 0.4,
    "left_hip_flexion": 1.5,
    "left_knee_flexion": 1.5,
}
HEEL_UP = {"right_hip_flexion": -0.1, "right_knee_flexion": 1.9, "on": "left"}
KNEE_UP = {"left_hip_flexion": 1.5, "left_knee_flexion": 1.5, "on": "right"}
LOOK = {"yaw": 0.5, "left_hip_rotation": 0.5, "right_hip_rotation": -0.5}
LOOK_RIGHT = {"yaw": -0.5, "left_hip_rotation": -0.5, "right_hip_rotation": 0.5}
WIDE = {"hip_adduction": -0.3}
SIDEWAYS = 0.334  # m between feet that WIDE steps bring


def walk(direction: float, yaw: float = 0.0) -> Make:
    return stroll(direction * 0.5, 0.0, 3, yaw)


def lunging(front: str, knee: float) -> Make:
    """A long step with a foot in front, whose knee is bent so far; the other foot on its toes."""
    back = "right" if front == "left" else "left"

    def make(p: Poser) -> Rollout:
        def posture(bend: float) -> np.ndarray:
            legs = {f"{front}_hip_flexion": 0.5 * knee + 0.35, f"{front}_knee_flexion": knee, f"{back}_hip_flexion": -0.4}
            return p.pose(**legs, **{f"{back}_knee_flexion": bend})

        # More bend of the leg behind lets the foot in front hang lower.
        return p.hold(p.level(posture, 0.0, 1.8) if front == "left" else posture(0.8))

    return make


def leaning(to: float) -> Make:
    """The pelvis tilted to the left by so much, the legs upright, the leg on the lower side bent so that both feet stand."""

    def make(p: Poser) -> Rollout:
        low, high = ("left", "right") if to > 0 else ("right", "left")

        def posture(bend: float) -> np.ndarray:
            legs = {f"{low}_hip_flexion": 0.5 * bend, f"{low}_knee_flexion": bend, f"{high}_hip_flexion": 0.0, f"{high}_knee_flexion": 0.0}
            return p.pose(left=to, left_hip_adduction=-to, right_hip_adduction=to, **legs)

        return p.hold(p.level(lambda x: posture(-x if to > 0 else x), *((-1.5, 0.0) if to > 0 else (0.0, 1.5))))

    return make


HOP = (
    (0.0, HEEL_UP),
    (0.1, {**HEEL_UP, "left_hip_flexion": 0.3, "left_knee_flexion": 0.5}),
    (0.25, HEEL_UP),
    (0.4, HEEL_UP, 0.12),
    (0.55, HEEL_UP),
)
JUMP = ((0.4, HALF_SQUAT), (0.6, {}), (0.75, {}, 0.12), (0.9, {}), (1.1, HALF_SQUAT), (1.5, {}))

# measure -> a motion that does what its sentence says
DONE: dict[str, Make] = {
    "squat": hold(**DEEP_SQUAT),
    "raise_left_knee": hold(**KNEE_UP),
    "one_leg": hold(**LEFT),
    "lean_forward": hold(pitch=0.6, hip_flexion=0.6),
    "step_sideways": stroll(0.0, 0.2, 2),
    "walk_backward": walk(-1.0),
    "turn_round": steps_round(math.pi),
    "kneel": hold(**KNEEL),
    "jump": through(*JUMP),
    "march": through(*((0.3 * n, {} if n % 2 == 0 else (LEFT, RIGHT)[n // 2 % 2]) for n in range(1, 10))),
    "spread_feet": hold(**WIDE),
    "tiptoe": hold(ankle_flexion=-0.6),
    "look_left": hold(**LOOK),
    "cross_left": hold(left_hip_adduction=0.4, left_hip_flexion=0.3, on="right"),
    "lean_backward": hold(pitch=-0.4, hip_flexion=-0.4),
    "shift_weight": hold(left_hip_adduction=0.08, right_hip_adduction=-0.08),
    "walk_forward": walk(1.0),
    "kick": through(
        (0.5, {"right_hip_flexion": -0.4, "right_knee_flexion": 0.8, "on": "left"}),
        (0.7, {"right_hip_flexion": 1.0, "right_knee_flexion": 0.3, "on": "left"}),
        (1.3, {}),
    ),
    "heel_up": hold(**HEEL_UP),
    "lunge": lunging("left", 1.0),
    "swing_leg": through(
        *((0.4 * n, {"right_hip_flexion": 0.5 if n % 2 else -0.4, "right_knee_flexion": 0.7, "on": "left"}) for n in range(1, 7)),
        (2.8, {}),
    ),
    "feet_together": hold(hip_adduction=0.04),
    "toes_out": hold(hip_rotation=-0.5),
    "walk_diagonally": stroll(0.3, -0.3, 2),
    "hop_left": through(*((0.4 + 0.6 * n + t, *rest) for n in range(3) for t, *rest in HOP), (2.6, {})),
    "heels": hold(ankle_flexion=0.5),
    "bob": through(*((0.4 * n, HALF_SQUAT if n % 2 else {}) for n in range(1, 8))),
    "lean_left": leaning(0.3),
    "twist": through((0.4, LOOK), (1.0, LOOK_RIGHT), (1.6, LOOK), (2.2, LOOK_RIGHT), (2.8, {})),
}

# measure -> what comes near and is something else
NEAR: dict[str, dict[str, Make]] = {
    "squat": {
        "the knees hardly bent": hold(hip_flexion=0.6, knee_flexion=0.9, pitch=0.1),
        "a bow": hold(pitch=1.2, hip_flexion=1.2),
        "down and up again": through((0.8, DEEP_SQUAT), (1.8, {})),
        "on a knee": hold(**KNEEL),
    },
    "raise_left_knee": {
        "the heel behind": hold(left_hip_flexion=-0.3, left_knee_flexion=1.9, on="right"),
        "half way": hold(left_hip_flexion=0.8, left_knee_flexion=0.9, on="right"),
        "a squat": hold(**DEEP_SQUAT),
        "the other knee": hold(right_hip_flexion=1.5, right_knee_flexion=1.5, on="left"),
        "up and down again": through((0.8, KNEE_UP), (1.8, {})),
    },
    "one_leg": {
        "the toes hardly off": hold(left_hip_flexion=0.12, left_knee_flexion=0.3, on="right"),
        "the other leg": hold(**RIGHT),
        "hopping away on it": through(*((0.3 * n, {**LEFT, "at": (0.15 * n, 0.0)}) for n in range(1, 11))),
    },
    "lean_forward": {
        "a little": hold(pitch=0.15, hip_flexion=0.15),
        "backward": hold(pitch=-0.4, hip_flexion=-0.4),
        "over the toes, as a plank that falls": hold(pitch=0.62),
        "as one that kicks back": hold(pitch=0.6, left_hip_flexion=0.6, right_hip_flexion=-0.3, on="left"),
    },
    "step_sideways": {
        "one foot": hold(**WIDE, on="right"),
        "to the right": stroll(0.0, -0.2, 2),
        "sliding": through((2.0, {"at": (0.0, 0.5)})),
        "ahead as well": stroll(0.4, 0.2, 2),
        "after a turn to the left": stroll(0.0, 0.2, 2, math.pi / 2),
    },
    "walk_backward": {
        "forward": walk(1.0),
        "sliding": through((2.5, {"at": (-1.2, 0.0)})),
        "away, after turning round": walk(-1.0, math.pi),
    },
    "turn_round": {
        "a quarter": steps_round(math.pi / 2),
        "all the way round": steps_round(2.0 * math.pi),
        "sliding": through((2.5, {"yaw": math.pi / 2}), (2.8, {"yaw": math.pi})),
    },
    "kneel": {
        "the knee above the ground": lunging("left", 1.0),
        "a squat": hold(**DEEP_SQUAT),
        "down and up again": through((0.9, KNEEL), (1.9, {})),
    },
    "jump": {
        "the legs pulled up, the body falling": through(
            (0.6, {}), (0.75, {"hip_flexion": 1.2, "knee_flexion": 2.0}, 0.06), (0.9, DEEP_SQUAT), (1.4, {})
        ),
        "one leg": hold(**LEFT),
        "tiptoe": hold(ankle_flexion=-0.6),
        "up without coming down": through((2.7, {}), (2.9, {}, 0.15)),
        "onto one foot": through((0.4, HALF_SQUAT), (0.6, {}), (0.75, {}, 0.12), (0.9, LEFT), (2.0, LEFT)),
    },
    "march": {
        "one leg again and again": through(*((0.3 * n, {} if n % 2 == 0 else LEFT) for n in range(1, 10))),
        "shuffling": through(
            *(
                (
                    0.3 * n,
                    {} if n % 2 == 0 else {f"{('left', 'right')[n // 2 % 2]}_knee_flexion": 0.45, "on": ("right", "left")[n // 2 % 2]},
                )
                for n in range(1, 10)
            )
        ),
        "walking away": walk(1.0),
        "the heels flicked up behind": through(
            *(
                (0.3 * n, {} if n % 2 == 0 else {f"{('left', 'right')[n // 2 % 2]}_knee_flexion": 1.6, "on": ("right", "left")[n // 2 % 2]})
                for n in range(1, 10)
            )
        ),
    },
    "spread_feet": {
        "a bit": hold(hip_adduction=-0.1),
        "one behind the other": hold(left_hip_flexion=0.4, right_hip_flexion=-0.4),
        "a leg in the air": hold(left_hip_adduction=-0.6, on="right"),
    },
    "tiptoe": {
        "one heel": hold(left_ankle_flexion=-0.6, left_knee_flexion=0.35, left_hip_flexion=0.2, on="right"),
        "crouched on the toes": hold(hip_flexion=1.5, knee_flexion=1.9, pitch=0.2, ankle_flexion=-0.2),
        "hardly": hold(ankle_flexion=-0.05),
        "for a moment": through((0.6, {"ankle_flexion": -0.6}), (1.2, {})),
    },
    "look_left": {
        "turned with the feet": hold(yaw=0.8),
        "to the right": hold(**LOOK_RIGHT),
        "a glance": through((0.6, LOOK), (1.4, {})),
    },
    "cross_left": {
        "behind": hold(left_hip_adduction=0.4, left_hip_flexion=-0.3, left_knee_flexion=0.3, on="right"),
        "in front, not across": hold(left_hip_flexion=0.4, on="right"),
        "the right one": hold(right_hip_adduction=0.4, right_hip_flexion=0.3, on="left"),
    },
    "lean_backward": {
        "a bit": hold(pitch=-0.1, hip_flexion=-0.1),
        "forward": hold(pitch=0.5, hip_flexion=0.5),
        "a squat": hold(**DEEP_SQUAT),
    },
    "shift_weight": {
        "to the right": hold(left_hip_adduction=-0.08, right_hip_adduction=0.08),
        "the right foot lifted": hold(**RIGHT),
        "a little": hold(left_hip_adduction=0.03, right_hip_adduction=-0.03),
    },
    "walk_forward": {
        "backward": walk(-1.0),
        "sliding": through((2.5, {"at": (1.5, 0.0)})),
        "marching": through(*((0.3 * n, {} if n % 2 == 0 else (LEFT, RIGHT)[n // 2 % 2]) for n in range(1, 10))),
        "one step": through((0.5, {**LEFT, "at": (0.2, 0.0)}), (1.0, {"at": (0.4, 0.0)})),
    },
    "kick": {
        "slowly": through((0.3, {}), (2.4, {"right_hip_flexion": 1.0, "right_knee_flexion": 0.3, "on": "left"})),
        "backward": through((0.5, RIGHT), (0.7, {"right_hip_flexion": -0.5, "right_knee_flexion": 1.5, "on": "left"}), (1.3, {})),
        "the left foot": through(
            (0.5, {"left_hip_flexion": -0.4, "left_knee_flexion": 0.8, "on": "right"}),
            (0.7, {"left_hip_flexion": 1.0, "on": "right"}),
            (1.3, {}),
        ),
        "a walk": walk(1.0),
    },
    "heel_up": {
        "half way": hold(right_hip_flexion=0.0, right_knee_flexion=1.0, on="left"),
        "the knee in front": hold(right_hip_flexion=1.5, right_knee_flexion=1.8, on="left"),
        "the other one": hold(left_hip_flexion=-0.1, left_knee_flexion=1.9, on="right"),
    },
    "lunge": {
        "a short step": hold(left_hip_flexion=0.2, right_hip_flexion=-0.2),
        "the right foot in front": lunging("right", 1.0),
        "a squat": hold(**DEEP_SQUAT),
        "a split with straight knees": hold(left_hip_flexion=0.45, right_hip_flexion=-0.4),
    },
    "swing_leg": {
        "once": through((0.4, {"right_hip_flexion": 0.5, "right_knee_flexion": 0.7, "on": "left"}), (1.8, {})),
        "hardly": through(
            *((0.4 * n, {"right_hip_flexion": 0.35 if n % 2 else 0.15, "right_knee_flexion": 0.8, "on": "left"}) for n in range(1, 7))
        ),
        "a walk": walk(1.0),
    },
    "feet_together": {
        "one in front of the other": hold(left_hip_flexion=0.2, right_hip_flexion=-0.2, hip_adduction=0.04),
        "crossed": hold(hip_adduction=0.13),
        "a leg in the air": hold(left_hip_adduction=0.05, **LEFT),
    },
    "toes_out": {
        "one foot": hold(left_hip_rotation=-0.5),
        "inward": hold(hip_rotation=0.5),
        "the body turned": hold(yaw=0.6),
    },
    "walk_diagonally": {
        "straight": walk(1.0),
        "to the left": stroll(0.3, 0.3, 2),
        "after a turn": stroll(0.3, -0.3, 2, -math.pi / 4 - 0.3),
        "sliding": through((2.5, {"at": (0.7, -0.7)})),
    },
    "hop_left": {
        "both feet": through(
            *((0.75 * n + t, *rest) for n in range(3) for t, *rest in ((0.2, HALF_SQUAT), (0.35, {}), (0.5, {}, 0.12), (0.65, {})))
        ),
        "standing on it": hold(**RIGHT),
        "once": through(*((0.4 + t, *rest) for t, *rest in HOP)),
    },
    "heels": {
        "tiptoe": hold(ankle_flexion=-0.6),
        "one foot": hold(left_ankle_flexion=0.5),
        "sat back": hold(hip_flexion=1.5, knee_flexion=1.6, pitch=0.2, ankle_flexion=0.52),
    },
    "bob": {
        "once": through((0.5, HALF_SQUAT), (1.0, {})),
        "down": hold(**HALF_SQUAT),
        "hardly": through(*((0.4 * n, {"hip_flexion": 0.15, "knee_flexion": 0.35} if n % 2 else {}) for n in range(1, 8))),
        "bowing": through(*((0.4 * n, {"pitch": 0.6, "hip_flexion": 0.6} if n % 2 else {}) for n in range(1, 8))),
    },
    "lean_left": {
        "to the right": leaning(-0.3),
        "the weight alone": hold(left_hip_adduction=0.08, right_hip_adduction=-0.08),
        "forward": hold(pitch=0.5, hip_flexion=0.5),
    },
    "twist": {
        "to the left alone": hold(**LOOK),
        "the feet turn too": through(*((0.6 * n, {"yaw": 0.5 if n % 2 else -0.5}) for n in range(1, 5))),
        "hardly": through(
            *((0.6 * n, {"yaw": (y := 0.12 if n % 2 else -0.12), "left_hip_rotation": y, "right_hip_rotation": -y}) for n in range(1, 5))
        ),
    },
}
LEGS = [name for name in MEASURES if name != "reach_up"]


def found(poser: Poser, name: str, rollout: Rollout) -> Found:
    return MEASURES[name].found(poser.layout, rollout)


def test_the_suite_is_whole():
    suite = sentence_measures.sentences()
    assert (
        Counter(s.group for s in suite) == {"seen": 20, "unseen": 10, "paraphrases": 10}
        and tuple(Counter(s.group for s in suite)) == sentence_measures.GROUPS
    )
    assert len({s.name for s in suite}) == len({s.sentence for s in suite}) == 40
    first = {s.measure for s in suite if s.group != "paraphrases"}
    assert first == MEASURES.keys() and all(s.name == s.measure for s in suite if s.group != "paraphrases")
    again = [s for s in suite if s.group == "paraphrases"]
    seen = {s.name: s for s in suite if s.group == "seen"}
    # A paraphrase is measured, and tried, as the sentence is that it says again.
    assert len({s.measure for s in again}) == 10 and all(s.body == seen[s.measure].body for s in again)
    assert sentence_measures.by_words("Jump up and land on both feet.").name == "jump"
    assert set(DONE) == set(NEAR) == set(LEGS)


@pytest.mark.parametrize("name", LEGS)
def test_what_does_it_is_reached(poser, name):
    rollout = DONE[name](poser)
    done = found(poser, name, rollout)
    assert done.reached and done.value >= MEASURES[name].threshold, done.words()
    # The same motion, had it ended in a fall, or diverged.
    fell = found(poser, name, dataclasses.replace(rollout, ended="fell"))
    assert not fell.reached and "fell" in fell.words()
    assert found(poser, name, dataclasses.replace(rollout, instants=np.full_like(rollout.instants, np.nan), ended="diverged")).value is None


@pytest.mark.parametrize(("name", "what"), [(name, what) for name in LEGS for what in NEAR[name]])
def test_what_comes_near_is_not(poser, name, what):
    near = found(poser, name, NEAR[name][what](poser))
    assert not near.reached, near.words()


def test_nothing_is_done_by_standing_or_by_falling(poser):
    stands = poser.motion((0.0, poser.pose()))
    fallen = [topple(poser, *way) for way in ((1.3, 0.0), (-1.3, 0.0), (0.0, 1.3), (0.0, -1.3))]
    sunk = poser.motion((0.0, poser.pose()), (2.5, poser.pose()), (3.0, poser.pose(hip_flexion=1.6, knee_flexion=2.0, pitch=0.2)))
    for name in LEGS:
        assert not found(poser, name, stands).reached and not found(poser, name, stands).fall, name
        for rollout in [*fallen, sunk]:
            assert not found(poser, name, rollout).reached, name
    assert all(found(poser, "squat", rollout).fall for rollout in [*fallen, sunk])


def test_what_is_done_by_another_sentence_is_not_this_one(poser):
    """Each motion does its own sentence and at most those that it does by the way."""
    by_the_way = {"raise_left_knee": {"one_leg"}, "cross_left": {"one_leg"}, "jump": {"bob"}, "lean_left": {"shift_weight"}}
    motions = {name: make(poser) for name, make in DONE.items()}
    for name, rollout in motions.items():
        reached = {other for other in LEGS if found(poser, other, rollout).reached}
        assert reached - by_the_way.get(name, set()) == {name}


def test_a_body_without_the_landmark_is_not_measured(layout):
    legless = dataclasses.replace(
        layout, landmarks={k: v for k, v in layout.landmarks.items() if not k.endswith(("knee", "hip"))}, anatomy={}
    )
    rollout = episode(walker(layout, seconds=3.0, speed=0.0), len(layout.muscles))
    assert MEASURES["kneel"].found(legless, rollout) == Found(None, 0.75) and MEASURES["kneel"].lacking(legless)[0] == "left.hip"
    assert "left.hand" in MEASURES["reach_up"].lacking(layout) and MEASURES["lean_forward"].found(legless, rollout).value == pytest.approx(
        0.0, abs=1e-6
    )


def test_swings_are_counted_between_turning_points():
    t = np.linspace(0.0, 3.0, 151)
    assert swings(np.sin(2.0 * np.pi * t), 0.5) == 7 and swings(0.2 * np.sin(2.0 * np.pi * t), 0.5) == 0
    assert swings(np.minimum(t, 1.0), 0.5) == 1 and swings(np.zeros(10), 0.1) == 0


@pytest.mark.slow
@pytest.mark.models("ms_human_700/scene.xml")
def test_reaching_up_takes_both_hands():
    from movlr_jax.morphologies import load

    poser = Poser(load("ms-human-700"))
    up, one, ahead = ({f"shoulder_elv_{s}": angle for s in sides} for sides, angle in (("lr", 2.9), ("r", 2.9), ("lr", 1.4)))
    measure = MEASURES["reach_up"]
    both = measure.found(feature_layout(poser.body), poser.hold(poser.pose(**up), 0.1, seconds=1.2))
    assert both.reached, both.words()
    for posture in (one, ahead, {}, {**up, **DEEP_SQUAT}):
        assert not measure.found(feature_layout(poser.body), poser.hold(poser.pose(**posture), 0.1, seconds=1.2)).reached
