"""DynSyn's grouping (arXiv 2407.11472): muscles whose lengths change together are excited together.

In: a body. Out: for every muscle the number of its group. Joints are moved at random, without excitation; the muscles' lengths, each scaled
to its own range, are compared by uncentred cosine similarity in windows of time, and grouped by k-medoids. Found once a body and count, in
C, and kept in the cache.
"""

from __future__ import annotations

import hashlib
import json

import mujoco
import numpy as np

from movlr_jax import atomic
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology, motors
from movlr_jax.morphologies.sources import cache_dir

FRAMES = 20_000  # of random motion; the reference records 5e5, and its windows are alike long before that
WINDOW = 100  # frames
_EVERY, _SPEED = 10, 10.0  # frames between two draws of joint speeds; their bound (rad/s or m/s)
_TRIES = 20  # k-medoids from so many seeds, as in the reference
_ROUNDS = 100


def group_count(muscles: int) -> int:
    """Return a number of groups that agrees with the published ones: 25 of 39 muscles, 40 of 80 to 120, 100 of 700."""
    return max(1, round(0.64 * muscles) if muscles <= 62 else max(40, round(muscles / 7)))


def grouping(morphology: Morphology, count: int = 0) -> np.ndarray:
    """Return int[nu], each muscle's group, groups numbered by their first muscle, from the cache where it is there; then each motor's own.

    Args:
        morphology: the body.
        count: groups; 0: `group_count`.

    Raises:
        MovlrError: there are fewer muscles than groups.
    """
    muscles = morphology.muscles.count
    own = np.arange(morphology.motors.count)
    if not muscles:
        return own
    count = count or group_count(muscles)
    if count > muscles:
        raise MovlrError(f"{morphology.name} has {muscles} muscles, which cannot make {count} groups: set --groups to {muscles} or fewer.")
    told = {"names": morphology.muscles.names, "lengths": _sample(morphology).tolist(), "count": count, "frames": FRAMES}
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    file = cache_dir() / "dynsyn" / f"{morphology.name}-{count}-{digest}.json"
    if file.is_file():
        return np.append(np.array(atomic.read_json(file)["group_of"], int), count + own)
    found = numbered(medoids(1.0 - similarity(random_lengths(morphology)), count))
    atomic.write_json(file, {"morphology": morphology.name, "muscles": list(morphology.muscles.names), "group_of": found.tolist()})
    return np.append(found, count + own)


def _sample(morphology: Morphology) -> np.ndarray:
    """Return the muscles' lengths in the standing pose (m), to the micrometre: with the names they tell one body from another."""
    return np.round(np.asarray(morphology.data().actuator_length[: morphology.muscles.count]), 6)


def random_lengths(morphology: Morphology, frames: int = FRAMES, seed: int = 0) -> np.ndarray:
    """Return muscle lengths [frames, m] (m) of a body whose joints are sent about at random, its root held.

    Args:
        morphology: the body.
        frames: how many.
        seed: of the speeds.
    """
    model = morphology.at_timestep(0.005)
    # The body floats, and touches neither ground nor object: only its own joints shall move.
    model.opt.gravity[:] = 0.0
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT) | int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
    data, rng = mujoco.MjData(model), np.random.default_rng(seed)
    space, still = morphology.posture, morphology.loose
    data.qpos[:] = morphology.standing_qpos
    motors.limp(model, morphology.muscles.count)
    out = np.zeros((frames, morphology.muscles.count))
    for k in range(frames):
        if k % _EVERY == 0:
            data.qvel[:] = 0.0
            data.qvel[space.qvel_index] = rng.uniform(-_SPEED, _SPEED, space.size)
        data.qvel[still] = 0.0
        mujoco.mj_step(model, data)
        out[k] = data.actuator_length[: out.shape[1]]
    return out


def similarity(lengths: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Return [nu, nu], the mean over windows of the cosine between muscles' scaled lengths, not centred, as the reference has it.

    Args:
        lengths: [frames, nu] (m); frames beyond the last whole window are left out.
        window: frames.
    """
    low, high = lengths.min(0), lengths.max(0)
    scaled = (lengths - low) / np.maximum(high - low, 1e-12)
    total = np.zeros((lengths.shape[1],) * 2)
    count = len(scaled) // window
    for part in scaled[: count * window].reshape(count, window, -1):
        unit = part / np.maximum(np.linalg.norm(part, axis=0), 1e-12)
        total += unit.T @ unit
    return total / count


def medoids(distance: np.ndarray, count: int, tries: int = _TRIES) -> np.ndarray:
    """Return int[n], for every point the cluster of its nearest medoid: k-medoids by alternation and swaps, the best of several seeds.

    Args:
        distance: [n, n], not negative but for rounding.
        count: clusters.
        tries: seeds.
    """
    distance = np.maximum(distance, 0.0)
    np.fill_diagonal(distance, 0.0)
    best, lowest = np.zeros(count, int), np.inf
    for seed in range(tries):
        chosen = _spread(distance, count, np.random.default_rng(seed))
        for _ in range(_ROUNDS):
            chosen, changed = _swapped(distance, chosen)
            if not changed:
                break
        cost = distance[chosen].min(0).sum()
        if cost < lowest - 1e-12:
            best, lowest = chosen, cost
    return np.asarray(distance[best].argmin(0))


def _spread(distance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return first medoids, far from each other (k-means++)."""
    chosen = [int(rng.integers(len(distance)))]
    while len(chosen) < count:
        away = distance[chosen].min(0) ** 2
        away[chosen] = 0.0
        left = np.setdiff1d(np.arange(len(distance)), chosen)
        chosen.append(int(rng.choice(len(distance), p=away / away.sum())) if away.sum() > 0 else int(rng.choice(left)))
    return np.array(chosen)


def _swapped(distance: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the medoids after the best single exchange of one for another point (PAM), and whether there was one that lowers the cost."""
    cost, gain, best = distance[chosen].min(0).sum(), 1e-12, chosen
    for i in range(len(chosen)):
        rest = np.delete(chosen, i)
        near = distance[rest].min(0) if len(rest) else np.full(len(distance), np.inf)
        costs = np.minimum(near[None], distance).sum(1)
        point = int(costs.argmin())
        if cost - costs[point] > gain:
            gain, best = cost - costs[point], np.append(rest, point)
    return best, best is not chosen


def numbered(cluster: np.ndarray) -> np.ndarray:
    """Return the clusters numbered in the order of their first members."""
    order = {c: i for i, c in enumerate(dict.fromkeys(cluster.tolist()))}
    return np.array([order[c] for c in cluster.tolist()], int)
