"""The last gate: what a reward makes of motions that every reward must understand, none of them planned.

In: an inspected program (evaluated in numpy, then compiled), its weights, and motions of the body: settled standing, collapse in four
directions, lying still, kinematic stepping, extremes; with an object in the hand: held, carried, falling, lying, extremes. Out: checks,
warnings, and a refusal where a reward is not finite, says the same of everything, or would rather have the body lie than stand, or the
object dropped than held.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import mujoco
import numpy as np

from movlr_jax.morphologies import Morphology, anatomy, motors
from movlr_jax.morphologies.objects import BODY
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.instant import Frame, blocks

STANDING, LYING, STEPPING, EXTREMES = "settled standing", "lying still", "kinematic stepping", "extremes"
COLLAPSES: tuple[str, ...] = tuple(f"collapse {way}" for way in ("forward", "backward", "left", "right"))
NAMES: tuple[str, ...] = (STANDING, *COLLAPSES, LYING, STEPPING, EXTREMES)
HELD, CARRIED, FALLING, DROPPED = "object held", "object carried", "object falling", "object dropped"
OBJECT_NAMES: tuple[str, ...] = (HELD, CARRIED, FALLING, DROPPED, EXTREMES)
RESTING, LIMP, SWUNG = "at rest", "going limp", "joints swung"
FIXED_NAMES: tuple[str, ...] = (RESTING, LIMP, SWUNG, EXTREMES)
GIANT = 1e6
TOLERANCE = 0.02  # share of the spread over motions by which a preference must exceed another to count
_FALLEN = 10  # instants at the end of a collapse that count as fallen
_DT = 0.02  # between recorded instants (s)
_AWAY = (0.05, 0.1, 0.1)  # m from an object's start to its goal
_TURNED = (float(np.cos(0.35)), float(np.sin(0.35)), 0.0, 0.0)  # the goal's orientation: 0.7 rad about forward
# Function of a leg -> amplitude (rad), phase after its side's (rad), whether only the positive half counts: alike to a human walk.
_SWUNG = {"hip_flexion": (0.4, 0.0, False), "knee_flexion": (0.8, 0.8, True), "ankle_flexion": (0.2, -0.5, False)}
_BESIDE = 0.5  # m to the right of its start: past the edge of the table


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


@dataclass(frozen=True, eq=False)
class BehaviourMotions:
    """Motions of one body by name, each features float32[T, F] (current instant, then previous).

    Attributes:
        features: the names of `NAMES` at least; of a body with an object those of `OBJECT_NAMES`, of another that is fixed to the world
            those of `FIXED_NAMES`.
        archived: motions of earlier candidates, with how good they were judged (higher is better); may be empty. Only warned of.
    """

    features: Mapping[str, np.ndarray]
    archived: tuple[tuple[float, np.ndarray], ...] = ()

    def __post_init__(self) -> None:
        names = OBJECT_NAMES if HELD in self.features else FIXED_NAMES if RESTING in self.features else NAMES
        missing = [n for n in names if n not in self.features]
        if missing:
            raise ValueError(f"The behaviour motions lack {', '.join(missing)}: give each of {', '.join(names)}.")


@dataclass
class Behaviour:
    """What was found.

    Attributes:
        refusal: one sentence, or "" if nothing is wrong.
        term: the term it is about, "" if it is about the whole.
        cure: what to do.
        checks: check -> "passed" or what was found.
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
    evaluate: Callable[[np.ndarray], np.ndarray], weights: Mapping[str, float], motions: BehaviourMotions, *, lying: bool = False
) -> Behaviour:
    """Judge a program by the motions.

    Args:
        evaluate: features float32[b, F] -> terms float32[b, n].
        weights: the n terms in order, with their weights.
        motions: the body's motions.
        lying: the task asks to lie down: that lying, or where a fall ends, is worth more than standing is then no fault.
    """
    found = Behaviour()
    names = list(weights)
    weight = np.array([weights[n] for n in names], np.float64)
    features = {name: np.asarray(motions.features[name], np.float32) for name in motions.features}
    values = np.asarray(evaluate(np.concatenate(list(features.values()))), np.float64)
    stops = np.cumsum([len(f) for f in features.values()])[:-1]
    terms = dict(zip(features, np.split(values, stops), strict=True))

    def refuse(check: str, term: str, cause: str, cure: str) -> Behaviour:
        found.checks[check] = cause
        found.refusal, found.term, found.cure = f"{cause}: {cure}.", term, cure
        return found

    if values.shape != (len(values), len(names)):
        return refuse("shape", "", f"The program returns {values.shape[1:]} terms for {len(names)} weights", "name every term once")
    found.checks["shape"] = "passed"

    for name, rows in terms.items():
        bad = ~np.isfinite(rows)
        if bad.any():
            row, at = (int(i) for i in np.argwhere(bad)[0])
            what = "not a number" if np.isnan(rows[row, at]) else "infinite"
            return refuse(
                "finite",
                names[at],
                f"The term {names[at]} is {what} on {name}",
                "guard divisions, roots and logarithms, for example with jnp.maximum(x, 1e-3)",
            )
    found.checks["finite"] = "passed"

    largest = np.abs(values).max(axis=0)
    if largest.max() > GIANT:
        most = int(largest.argmax())
        return refuse(
            "bounded",
            names[most],
            f"The term {names[most]} reaches {largest[most]:.2g}",
            f"keep terms under {GIANT:g} on every motion, for example with tolerance or jnp.clip",
        )
    found.checks["bounded"] = "passed"

    reward = {name: rows @ weight for name, rows in terms.items()}
    mean = {name: float(r.mean()) for name, r in reward.items()}
    found.rewards = mean
    everything = values @ weight
    scale = max(1.0, float(np.abs(everything).max()))
    if float(np.ptp(everything)) <= 1e-6 * scale:
        return refuse("varies", "", "The reward is the same on every motion", "let it depend on m")
    found.checks["varies"] = "passed"

    if RESTING in mean:  # of a body that is fixed to the world no pose is worse than another
        return _advised(found, evaluate, values, weight, names, motions)
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
    found.checks[check] = "not asked: the task is to lie" if asked else "passed"
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
        found.checks["standing beats collapse"] = "passed"

    tempting = [n for n in fallen if mean[n] > mean[STANDING] + margin]
    if tempting:
        found.warnings.append(f"{tempting[0].capitalize()} earns more than standing still: a term for height or balance would help.")
    return _advised(found, evaluate, values, weight, names, motions)


def _advised(
    found: Behaviour,
    evaluate: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    weight: np.ndarray,
    names: list[str],
    motions: BehaviourMotions,
) -> Behaviour:
    """Return what was found, with warnings of terms that steer nothing and of motions that were judged otherwise."""
    idle = []
    for i, name in enumerate(names):
        column = values[:, i]
        if float(np.ptp(column)) <= 1e-7 * max(1.0, float(np.abs(column).max())):
            idle.append(f"The term {name} is the same on every motion: it steers nothing.")
        if weight[i] == 0.0:
            idle.append(f"The term {name} has weight 0: it steers nothing.")
    found.warnings = [*idle, *found.warnings, *_against_archive(evaluate, weight, motions)]
    return found


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


@functools.lru_cache(maxsize=4)
def generate(morphology: Morphology, goal_speed: float = 0.8) -> BehaviourMotions:
    """Make the motions of a body: plain MuJoCo for the falls, kinematics for the rest. Cached: a body's motions are made once.

    Args:
        morphology: the body.
        goal_speed: what `m.goal.speed` says (m/s).

    """
    if morphology.thing is not None:
        maker = _Maker(morphology, Frame(goal=(goal_speed, 0.0), target=(*np.add(morphology.thing.position, _AWAY), *_TURNED)))
        handled = {HELD: maker.still(morphology.standing_qpos, morphology.standing_act), CARRIED: maker.carried()}
        handled |= {FALLING: maker.falling(), DROPPED: maker.dropped(), EXTREMES: maker.extremes()}
        return BehaviourMotions({name: _paired(r, independent=name in (DROPPED, EXTREMES)) for name, r in handled.items()})
    maker = _Maker(morphology, Frame(goal=(goal_speed, 0.0)))
    if morphology.fixed:
        still = maker.still(morphology.standing_qpos, morphology.standing_act)
        bent = {RESTING: still, LIMP: maker.limp(), SWUNG: maker.swung(), EXTREMES: maker.extremes()}
        return BehaviourMotions({name: _paired(r, independent=name == EXTREMES) for name, r in bent.items()})
    falls = {name: maker.collapse(*push) for name, push in zip(COLLAPSES, ((1, 0), (-1, 0), (0, 1), (0, -1)), strict=True)}
    rows: dict[str, np.ndarray] = {
        STANDING: maker.still(morphology.standing_qpos, morphology.standing_act),
        **{name: r for name, (r, _) in falls.items()},
        LYING: maker.still(falls[COLLAPSES[1]][1], np.zeros_like(morphology.standing_act)),
        STEPPING: maker.stepping(goal_speed),
        EXTREMES: maker.extremes(),
    }
    features = {name: _paired(r, independent=name == EXTREMES) for name, r in rows.items()}
    return BehaviourMotions(features)


def _paired(instants: np.ndarray, independent: bool) -> np.ndarray:
    """Return features [T, 2 f] of instants [T, f]; at the start, and where instants do not follow each other, both are the same."""
    before = np.concatenate([instants[:1], instants[:-1]])
    if independent:
        before[::2] = instants[::2]
    return np.concatenate([instants, before], axis=1).astype(np.float32)


class _Maker:
    """Writes instants of one body from plain MuJoCo states."""

    def __init__(self, morphology: Morphology, frame: Frame):
        self.body, self.frame = morphology, frame
        self.model = morphology.at_timestep(0.004)
        motors.limp(self.model, morphology.muscles.count)
        self.columns = {name: slice(*span) for name, span in blocks(morphology).items()}
        self.size = blocks(morphology)["gait"][1]

    def _row(self, data: mujoco.MjData, before: tuple[np.ndarray, ...] | None = None) -> np.ndarray:
        row = np.zeros(self.size, np.float32)
        qpos, qvel, act, ctrl = before or (data.qpos, data.qvel, data.act, data.ctrl)
        for name, value in (
            ("time", data.time),
            ("dt", _DT),
            ("qpos", qpos),
            ("qvel", qvel),
            ("act", act),
            ("ctrl", ctrl),
            ("force", -data.actuator_force),
            ("sensor", data.sensordata),
        ):
            row[self.columns[name]] = value
        row[self.columns["frame"].start : self.columns["goal"].stop] = self.frame.row()
        return row

    def _remember(self, rows: np.ndarray) -> np.ndarray:
        """Fill the gait memory of consecutive instants."""
        sensors = rows[:, self.columns["sensor"]].astype(np.float64)
        feet = Feet(self.body)
        memory = feet.over_time(feet.initial(sensors[:1]), sensors[None], self.frame.forward[None], _DT)
        rows[:, self.columns["gait"]] = memory[0].reshape(len(rows), -1)
        return rows

    def still(self, qpos: np.ndarray, act: np.ndarray) -> np.ndarray:
        """A held pose: eight instants at rest."""
        data = mujoco.MjData(self.model)
        rows = []
        for k in range(8):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = qpos, 0.0
            data.act[:] = act
            data.ctrl[:] = act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(np.array(rows))

    def collapse(self, forward: float, left: float) -> tuple[np.ndarray, np.ndarray]:
        """A limp body pushed over: instants of the fall, and the pose it comes to rest in."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.body.standing_qpos
        pelvis = self.model.body(self.body.plan.landmarks["pelvis"].body).id
        trunk = self.model.body(self.body.plan.landmarks["trunk"].body).id
        every = round(_DT / self.model.opt.timestep)
        rows = []
        for k in range(75):
            push = 0.15 * self.body.weight if k < 20 else 0.0
            for body in {pelvis, trunk}:
                data.xfrc_applied[body, :2] = push * forward, push * left
            for i in range(every):
                before = tuple(np.array(v) for v in (data.qpos, data.qvel, data.act, data.ctrl))
                mujoco.mj_step(self.model, data)
                if i == 0 and k < 50:
                    rows.append(self._row(data, before))
        return self._remember(np.array(rows)), np.array(data.qpos)

    def stepping(self, speed: float) -> np.ndarray:
        """Legs swung by hand while the body is carried forward: not physical, but alike to a walk in every feature."""
        from movlr_jax.morphologies import root

        posture = self.body.posture
        swing = _swings(self.body)
        base = posture.read(self.body.standing_qpos)
        poses = []
        for k in range(50):
            phase = 2 * np.pi * k * _DT  # one stride a second
            wave = np.where(swing[:, 1] > 0, np.sin(phase + swing[:, 1]), 0.0)
            target = base + swing[:, 0] * np.where(swing[:, 2] > 0, np.maximum(wave, 0.0), wave)
            moved = root.translate(self.model, self.body.top, self.body.standing_qpos, np.array([speed * k * _DT, 0.0, 0.0]))
            poses.append(posture.complete(target, moved))
        return self._led(poses, 0.1)

    def _led(self, poses: Sequence[np.ndarray], act: np.ndarray | float) -> np.ndarray:
        """Instants of a body led by hand through poses[nq], `_DT` apart, at activations that do not change."""
        data, rows = mujoco.MjData(self.model), []
        for k, qpos in enumerate(poses):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = qpos, 0.0
            if k:
                mujoco.mj_differentiatePos(self.model, data.qvel, _DT, poses[k - 1], qpos)
            data.act[:] = data.ctrl[:] = act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(np.array(rows))

    def _object(self) -> int:
        """Where the object's position and quaternion stand in qpos."""
        return int(self.model.joint(BODY).qposadr[0])

    def carried(self) -> np.ndarray:
        """The object led by hand from its start to its goal while the arm rests: alike to a carry in every feature of the object."""
        at = self._object()
        start, target = np.array(self.body.standing_qpos[at : at + 7]), np.array(self.frame.target)
        turn, way = np.zeros(4), np.zeros(3)
        back = np.array([start[3], *-start[4:]])
        mujoco.mju_mulQuat(turn, target[3:], back)
        mujoco.mju_quat2Vel(way, turn, 1.0)  # the one rotation that leads there
        poses = []
        for k in range(50):
            share = k / 49
            qpos, step = np.array(self.body.standing_qpos), np.zeros(4)
            qpos[at : at + 3] = start[:3] + share * (target[:3] - start[:3])
            mujoco.mju_axisAngle2Quat(step, way / max(float(np.linalg.norm(way)), 1e-9), share * float(np.linalg.norm(way)))
            mujoco.mju_mulQuat(qpos[at + 3 : at + 7], step, start[3:])
            poses.append(qpos)
        return self._led(poses, self.body.standing_act)

    def swung(self) -> np.ndarray:
        """Every planned joint led by hand through its range and back, each at its own pace: two seconds."""
        posture = self.body.posture
        base = posture.read(self.body.standing_qpos)
        poses = []
        for k in range(100):
            share = np.sin(np.pi * k * _DT * (1.0 + np.arange(posture.size) / posture.size))
            reach = np.where(share > 0, posture.upper - base, base - posture.lower)
            qpos = posture.complete(base + 0.9 * share * reach, self.body.standing_qpos)
            poses.append(qpos)
        return self._led(poses, self.body.standing_act)

    def falling(self) -> np.ndarray:
        """The object let go beside the table while the arm goes limp: one second."""
        qpos = np.array(self.body.standing_qpos)
        qpos[self._object() + 1] -= _BESIDE
        return self._slack(qpos)

    def limp(self) -> np.ndarray:
        """The body let go where it stands: one second."""
        return self._slack(self.body.standing_qpos)

    def _slack(self, qpos: np.ndarray) -> np.ndarray:
        """A second without excitation from a pose at rest."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = qpos
        every = round(_DT / self.model.opt.timestep)
        rows = []
        for _ in range(50):
            for i in range(every):
                before = tuple(np.array(v) for v in (data.qpos, data.qvel, data.act, data.ctrl))
                mujoco.mj_step(self.model, data)
                if i == 0:
                    rows.append(self._row(data, before))
        return self._remember(np.array(rows))

    def dropped(self) -> np.ndarray:
        """The object at rest on the ground beside the table, as it may lie: in sixteen orientations, drawn with a fixed seed."""
        data, at, rng = mujoco.MjData(self.model), self._object(), np.random.default_rng(0)
        rows = []
        for k in range(16):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = self.body.standing_qpos, 0.0
            quat = rng.normal(size=4)
            data.qpos[at + 1] -= _BESIDE
            data.qpos[at + 2] = 0.05
            data.qpos[at + 3 : at + 7] = quat / np.linalg.norm(quat)
            data.act[:] = data.ctrl[:] = self.body.standing_act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(np.array(rows))

    def extremes(self) -> np.ndarray:
        """States far from any walk: limp, tensed, airborne, upside down, fast, at joint limits; all with a fixed seed."""
        rng = np.random.default_rng(0)
        model, data = self.model, mujoco.MjData(self.model)
        limited = model.jnt_limited.astype(bool) & np.isin(model.jnt_type, (2, 3))
        address, span = model.jnt_qposadr[limited], model.jnt_range[limited]
        rows = []
        for k in range(32):
            share = rng.uniform(size=len(address)) if k % 2 else rng.integers(0, 2, len(address)).astype(float)
            qpos = np.array(self.body.standing_qpos)
            qpos[address] = span[:, 0] + share * (span[:, 1] - span[:, 0])
            qvel = rng.normal(size=model.nv) * (0.0, 1.0, 10.0)[k % 3]
            # One step of a free tumble turns and lifts a root of any kind, or the object of a fixed body.
            tumble, free = np.zeros(model.nv), self.body.loose
            tumble[free] = rng.normal(size=model.nv)[free]
            mujoco.mj_integratePos(model, qpos, tumble, 1.0)
            data.time = rng.uniform(0.0, 30.0)
            data.qpos[:], data.qvel[:] = qpos, qvel
            data.act[:] = (0.0, 1.0, rng.uniform(size=model.na))[k % 3]
            data.ctrl[:] = data.act
            mujoco.mj_forward(model, data)
            rows.append(self._row(data))
        return self._remember(np.array(rows))


def _swings(body: Morphology) -> np.ndarray:
    """Return float[planned, 3]: amplitude (rad), phase (0 for none) and whether only the positive half counts, of every planned joint."""
    out = np.zeros((body.posture.size, 3))
    for function, (joint, sign) in anatomy.joints(body).items():
        side, name = function.split(".")
        if name in _SWUNG and joint in body.posture.names:
            amplitude, phase, half = _SWUNG[name]
            out[body.posture.names.index(joint)] = sign * amplitude, (np.pi if side == "left" else 2 * np.pi) + phase, half
    return out
