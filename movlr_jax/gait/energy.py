"""Energy: what muscles use, by two published models, and the cost of transport that it makes.

Flows in: the states of an executed episode; muscle lengths and velocities are computed from them in C. Flows out: metabolic power (W), and
gross cost of transport (J per kg of body and m): muscles and 1.2 W/kg for the rest of the body, over the speed.

`minetti_alexander` (Minetti and Alexander 1997, J Theor Biol 186:467) needs activation, speed and peak force alone. Its result goes with
the highest speed of shortening: MS-Human-700 gives its muscles 1.5 optimal lengths a second where human muscle has about 10, so both are
told. `umberger` (Umberger 2010, J R Soc Interface 7:1252) splits heat and work and needs muscles' masses, which are peak force and optimal
length at 0.25 MPa; bodies whose peak forces were made with more (0.6 MPa in Rajagopal et al. 2016, whose legs many have), or whose optimal
lengths are too long, come out too heavy in muscle, and costly: `Energy.muscle_share` tells. Half of every muscle's fibres count as slow.
Motors use nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax.control import muscle_curves
from movlr_jax.gait.strides import Stride
from movlr_jax.gait.trajectory import Trajectory
from movlr_jax.morphologies import Morphology
from movlr_jax.morphologies.muscles import MuscleData, moments

VMAX = 10.0  # L0/s of human muscle
BASAL = 1.2  # W per kg of body, of all that is no walking muscle
SLOWEST = 0.1  # m/s, under which transport has no cost: nothing is carried anywhere
_STRESS, _DENSITY = 0.25e6, 1059.7  # Pa of a muscle at its peak force, kg/m^3
_SLOW, _SCALE = 0.5, 1.5  # share of slow fibres; aerobic scale S


@dataclass(frozen=True)
class Muscles:
    """What m muscles do at T instants.

    Attributes:
        excitation, activation: float[T, m].
        length: float[T, m] (L0).
        velocity: float[T, m] (L0/s), lengthening positive.
        force: float[T, m], active, pulling positive (N).
    """

    excitation: np.ndarray
    activation: np.ndarray
    length: np.ndarray
    velocity: np.ndarray
    force: np.ndarray


@dataclass(frozen=True)
class Energy:
    """What walking costs.

    Attributes:
        minetti_alexander_w: metabolic power of the muscles with human muscle's highest speed, `VMAX` (W).
        own_vmax_w: the same with the body's own.
        umberger_w: by the other model (W).
        muscle_share: mass of the muscles, as that model has it, over that of the body; people have some 0.4.
        mass: of the body (kg).
        speed: (m/s).
    """

    minetti_alexander_w: float
    own_vmax_w: float
    umberger_w: float
    muscle_share: float
    mass: float
    speed: float

    def figures(self) -> dict[str, float | None]:
        """Return the gross costs of transport by name (J/kg/m), None for a body that goes nowhere, and the muscles' share of its mass."""
        powers = {
            "cost_of_transport_j_kg_m": self.minetti_alexander_w,
            "cost_of_transport_own_vmax_j_kg_m": self.own_vmax_w,
            "cost_of_transport_umberger_j_kg_m": self.umberger_w,
        }
        costs = {name: (power / self.mass + BASAL) / self.speed if self.speed >= SLOWEST else None for name, power in powers.items()}
        return costs | {"muscle_mass_share": self.muscle_share}


def muscles_at(
    body: Morphology,
    qpos: Float[np.ndarray, "time nq"],
    qvel: Float[np.ndarray, "time nv"],
    act: Float[np.ndarray, "time na"],
    ctrl: Float[np.ndarray, "time nu"],
) -> Muscles:
    """Return what the muscles do at recorded instants."""
    model, m = body.lean, body.muscles
    data = mujoco.MjData(model)
    length, velocity = np.zeros((len(qpos), m.count)), np.zeros((len(qpos), m.count))
    for k in range(len(qpos)):
        data.qpos[:] = qpos[k]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_tendon(model, data)
        mujoco.mj_transmission(model, data)
        length[k] = data.actuator_length[: m.count]
        velocity[k] = (moments(model, data) @ qvel[k])[: m.count]
    activation = np.clip(act[:, : m.count], 0.0, 1.0)
    force = -muscle_curves.gain(length, velocity, m, np) * activation
    return Muscles(
        np.clip(ctrl[:, : m.count], 0.0, 1.0),
        activation,
        np.asarray(muscle_curves.normalized_length(length, m)),
        velocity / m.optimal_length,
        np.asarray(force),
    )


def minetti_alexander(does: Muscles, m: MuscleData, vmax: Float[np.ndarray, " m"] | float = VMAX) -> Float[np.ndarray, "time m"]:
    """Return the metabolic power of each muscle (W), by its activation and its speed over its highest.

    Args:
        does: what the muscles do.
        m: the muscles.
        vmax: their highest speeds of shortening (L0/s).
    """
    x = np.clip(-does.velocity / vmax, -1.0, 1.0)
    phi = (0.054 + 0.506 * x + 2.46 * x**2) / (1.0 - 1.13 * x + 12.8 * x**2 - 1.64 * x**3)
    return np.asarray(does.activation * m.peak_force * (vmax * m.optimal_length) * phi)


def muscle_mass(m: MuscleData) -> Float[np.ndarray, " m"]:
    """Return the muscles' masses (kg), from peak force and optimal length."""
    return np.asarray(m.peak_force / _STRESS * _DENSITY * m.optimal_length)


def umberger(does: Muscles, m: MuscleData, vmax: float = VMAX) -> Float[np.ndarray, "time m"]:
    """Return the metabolic power of each muscle (W): heat of activation and maintenance, of shortening or lengthening, and work.

    Args:
        does: what the muscles do.
        m: the muscles.
        vmax: highest speed of shortening of fast fibres; slow ones have 1 / 2.5 of it (L0/s).
    """
    u, a, v = does.excitation, does.activation, does.velocity
    mass = muscle_mass(m)
    long = does.length > 1.0
    isometric = muscle_curves.active_force_length(does.length, m.lmin, m.lmax, np)
    level = np.where(u > a, u, 0.5 * (u + a))
    kept = (128.0 * (1.0 - _SLOW) + 25.0) * level**0.6 * _SCALE * np.where(long, 0.4 + 0.6 * isometric, 1.0)
    slow, fast = 100.0 / (vmax / 2.5), 153.0 / vmax
    shortening = (_SLOW * np.minimum(-v * slow, 100.0) - (1.0 - _SLOW) * fast * v) * level**2 * _SCALE
    lengthening = 0.3 * slow * v * level * _SCALE
    moved = np.where(v <= 0.0, shortening, lengthening) * np.where(long, isometric, 1.0)
    power = np.maximum(0.0, -does.force * v * m.optimal_length)
    work = np.divide(power, mass, out=np.zeros_like(power), where=mass > 0.0)  # a muscle that an injury left no force has no mass
    return np.asarray(np.maximum(kept + moved + work, 1.0) * mass)


def measure(body: Morphology, trajectory: Trajectory, steady: Sequence[Stride], speed: float) -> Energy | None:
    """Return what walking costs, the mean over the time from the first steady touchdown to the last; None for a body without muscles.

    Args:
        body: whose muscles they are.
        trajectory: the episode.
        steady: its steady strides.
        speed: of the walk (m/s).
    """
    if not body.muscles.count or not steady:
        return None
    rows = slice(min(stride.touchdown_row for stride in steady), max(stride.next_touchdown_row for stride in steady))
    return averaged(body, muscles_at(body, *(trajectory.block(name)[rows] for name in ("qpos", "qvel", "act", "ctrl"))), speed)


def averaged(body: Morphology, does: Muscles, speed: float) -> Energy:
    """Return what walking costs, the mean over instants."""
    m = body.muscles
    mass = body.weight / float(np.linalg.norm(body.model.opt.gravity))
    powers = (minetti_alexander(does, m), minetti_alexander(does, m, m.vmax), umberger(does, m))
    own, body_vmax, other = (float(power.sum(axis=1).mean()) for power in powers)
    return Energy(own, body_vmax, other, float(muscle_mass(m).sum()) / mass, mass, speed)
