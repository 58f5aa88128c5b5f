"""A small search of its own: a double pendulum in MuJoCo that a random-shooting planner moves under a written reward.

Its stages are real ones (physics, a planner, a proof by parsing, a film of raw frames, measured facts), only small: a whole iteration
takes some milliseconds, so that the loop can be killed and resumed many times over.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Preference
from movlr_jax.facts import Facts
from movlr_jax.sandbox.proof import Proof, Verdict
from movlr_jax.searches.stages import Arrays, Begun, Json, Judged, Trusted
from movlr_jax.tasks import gates
from movlr_jax.writers.base import Draft, NothingLeft, WriteRequest

XML = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <body pos="0 0 1"><joint name="a" axis="0 1 0" damping="0.05"/><geom type="capsule" size="0.02" fromto="0 0 0 0 0 -0.4" mass="1"/>
      <body pos="0 0 -0.4"><joint name="b" axis="0 1 0" damping="0.05"/><geom type="capsule" size="0.02" fromto="0 0 0 0 0 -0.4" mass="1"/>
        <site name="tip" pos="0 0 -0.4"/></body></body>
  </worldbody>
  <actuator><motor joint="a" gear="6" ctrlrange="-1 1"/><motor joint="b" gear="3" ctrlrange="-1 1"/></actuator>
</mujoco>
"""
TERMS: dict[str, Callable[[mujoco.MjData], float]] = {
    "speed": lambda d: float(abs(d.qvel[0])),
    "tip_height": lambda d: float(d.site_xpos[0, 2]),
    "effort": lambda d: -float(np.square(d.ctrl).sum()),
    "straight": lambda d: -float(abs(d.qpos[1])),
}
STEPS, CANDIDATES, HORIZON, DT = 12, 6, 8, 0.02


def source_of(weights: Mapping[str, float]) -> str:
    return f"WEIGHTS = {json.dumps(dict(weights))}\n\n\ndef terms(m):\n    return {{{', '.join(f'{t!r}: m.{t}' for t in weights)}}}\n"


def weights_of(source: str) -> dict[str, float]:
    return ast.literal_eval(source.split("\n", 1)[0].removeprefix("WEIGHTS = "))


def artifact_of(source: str) -> bytes:
    """Return what stands for the compiled program: weights are no part of it, as they are none of the real one."""
    return hashlib.sha256(source.split("\n", 1)[1].encode()).digest()


@dataclass(frozen=True)
class Program:
    """What stands for a compiled reward."""

    weights: Mapping[str, float]
    artifact: bytes

    def weight_of(self) -> dict[str, float]:
        return dict(self.weights)


def refused(sentence: str, line: int | None = None) -> Proof:
    return Proof(Verdict(False, "static", "", sentence, line))


class PendulumStages:
    """The stages. `bad_share` of the drafts name a term that does not exist."""

    def __init__(self, bad_share: float = 0.3, start: Mapping[str, float] | None = None):
        self.model = mujoco.MjModel.from_xml_string(XML)
        self.bad_share = bad_share
        self.first = dict(start or {"speed": 1.0})
        self.requests: list[WriteRequest] = []

    goal = "Swing the tip up."
    vocabulary = "m.tip_height: Height of the tip (m)."
    planning = "The planner looks 0.08 s ahead."
    seconds = 0.24

    def start(self) -> Draft:
        return Draft(source_of(self.first), name="start")

    def write(self, request: WriteRequest) -> Draft:
        self.requests.append(request)
        draw = random.Random(request.seed)
        weights = weights_of(request.best_source)
        if draw.random() < self.bad_share:
            return Draft(source_of({**weights, "levitation": 1.0}), "add levitation", name=f"iteration {request.iteration}")
        term = draw.choice(list(TERMS))
        weights[term] = round(draw.uniform(0.1, 4.0), 3)
        return Draft(source_of(weights), f"set {term} to {weights[term]}", name=f"iteration {request.iteration}")

    def prove(self, draft: Draft, archive: Sequence[Judged]) -> Proof:
        assert all(judged.rollout.exists() for judged in archive)
        weights = weights_of(draft.source)
        unknown = sorted(set(weights) - set(TERMS))
        if unknown:
            return refused(f"There is no term {unknown[0]}.", 1)
        return Proof(Verdict(True, "behaviour", ""), Program(weights, artifact_of(draft.source)))

    side_by_side = 1

    def move(self, jobs: Sequence[tuple[Trusted, int]], advanced: Callable[[float], None]) -> list[Arrays]:
        return [self._episode(reward, seed, advanced) for reward, seed in jobs]

    def begin(self, jobs: Sequence[tuple[Trusted, int]], seconds: float, advanced: Callable[[float], None]) -> list[Begun]:
        begun = []
        for reward, seed in jobs:
            end: dict[str, Any] = {}
            part = self._episode(reward, seed, advanced, steps=min(round(seconds / DT), STEPS), end=end)
            begun.append(Begun(part, None if len(part["rows"]) == STEPS else end))
        return begun

    def go_on(self, jobs: Sequence[tuple[Trusted, Begun]], advanced: Callable[[float], None]) -> list[Arrays]:
        whole = []
        for reward, begun in jobs:
            if begun.after is None:
                whole.append(begun.rollout)
                continue
            first = begun.rollout["rows"]
            rest = self._episode(reward, int(begun.rollout["seed"]), advanced, steps=STEPS - len(first), start=begun.after)
            whole.append({"seed": rest["seed"], "rows": np.concatenate([first, rest["rows"]])})
        return whole

    def cut(self, rollout: Arrays, seconds: float) -> Arrays:
        return {**rollout, "rows": rollout["rows"][: round(seconds / DT)]}

    def _episode(
        self,
        reward: Trusted,
        seed: int,
        advanced: Callable[[float], None],
        steps: int = STEPS,
        start: Arrays | None = None,
        end: dict[str, Any] | None = None,
    ) -> Arrays:
        """Run an episode, or a part of it: from what a part before it left in `end`."""
        assert (reward.folder / "reward.stablehlo").read_bytes() == artifact_of(reward.source)
        draw, data, probe = np.random.default_rng(seed), mujoco.MjData(self.model), mujoco.MjData(self.model)
        if start is None:
            data.qpos[:] = draw.normal(0, 0.1, 2)
        else:
            draw.bit_generator.state = json.loads(str(start["noise"]))
            data.time = float(start["time"])
            data.qpos[:], data.qvel[:] = start["qpos"], start["qvel"]
            data.qacc_warmstart[:], probe.qacc_warmstart[:] = start["warm"], start["warm_probe"]
        rows = []
        for _ in range(steps):
            best, action = -np.inf, np.zeros(2)
            for candidate in draw.uniform(-1, 1, (CANDIDATES, 2)):
                probe.qpos[:], probe.qvel[:], probe.ctrl[:] = data.qpos, data.qvel, candidate
                total = 0.0
                for _ in range(HORIZON):
                    mujoco.mj_step(self.model, probe)
                    total += sum(w * TERMS[t](probe) for t, w in reward.weights.items())
                if total > best:
                    best, action = total, candidate
            data.ctrl[:] = action
            mujoco.mj_step(self.model, data, 2)
            rows.append([data.time, *data.qpos, *data.qvel, *data.ctrl, *(fn(data) for fn in TERMS.values())])
            advanced(data.time)
        if end is not None:
            end |= {"noise": np.asarray(json.dumps(draw.bit_generator.state)), "time": np.asarray(data.time)}
            end |= {"qpos": data.qpos.copy(), "qvel": data.qvel.copy()}
            end |= {"warm": data.qacc_warmstart.copy(), "warm_probe": probe.qacc_warmstart.copy()}
        return {"seed": np.asarray(seed), "rows": np.array(rows)}

    def measure(self, rollout: Arrays) -> Json:
        rows = rollout["rows"]
        height = float(rows[:, 7 + list(TERMS).index("tip_height")].mean())
        fell = bool(np.abs(rows[:, 2]).max() > 2.12)
        record = {"seed": int(rollout["seed"]), "fell": fell, "diverged": False, "distance_m": height, "fall_time_s": None}
        return {**record, "seconds": float(rows[-1, 0])}

    def summarize(self, episodes: list[Json]) -> Json:
        falls = sum(e["fell"] for e in episodes)
        mean = {"distance_m": float(np.mean([e["distance_m"] for e in episodes])), "fell": falls / len(episodes), "fall_time_s": None}
        gates = {"fell": falls > 0, "diverged": False, "moved": True}
        return {"episodes": episodes, "mean": mean, "std": {}, "falls": falls, "gates": gates}

    def score(self, facts: Facts) -> float:
        return facts.metrics.distance_m

    def describe(self, reward: Trusted, rollouts: list[Arrays], summary: Json) -> Facts:
        values = np.concatenate([r["rows"][:, 7:] for r in rollouts])
        terms = {}
        for term, weight in reward.weights.items():
            column = values[:, list(TERMS).index(term)]
            terms[term] = {"weight": weight, "mean": float(column.mean()), "std": float(column.std()), "share_of_spread": 0.0}
        facts = Facts.read({"metrics": summary["mean"], "terms": terms})
        places = []
        for episode in summary["episodes"]:
            alone = Facts.read({"metrics": episode})
            judged = gates.read(self.summarize([episode]))
            places.append((episode["seed"], alone, gates.place(judged, episode["distance_m"], self.score(alone))))
        return facts.with_extremes(places)

    def classes(self, reward: Trusted) -> Mapping[str, str]:
        return dict.fromkeys(reward.weights, "stability")

    def film(self, rollout: Arrays, path: Path) -> None:
        with path.open("wb") as file:
            for row in rollout["rows"]:
                file.write(row.astype(np.float32).tobytes())

    def critique(self, motion: Evidence, earlier: Json | None) -> Json:
        assert motion.clip is None or motion.clip.exists()
        low = motion.facts.metrics.distance_m < 0.9
        return {
            "success": not low,
            "summary": "The tip hangs low." if low else "The tip is high.",
            "suggestions": [],
            "calls": [{"prompt": motion.name}],
        }

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, Sequence[Json]]:
        gain = self.score(a.facts) - self.score(b.facts)
        if abs(gain) < 0.01:
            return Preference(winner="tie", reason="Too close to call."), ()
        return Preference(winner="a" if gain > 0 else "b", reason=f"Higher by {gain:.3f} m."), ()

    def illustrate(self, folder: Path) -> None:
        (folder / "heatmaps").mkdir(exist_ok=True)
        rows = json.loads((folder / "summary.json").read_text())["iterations"]
        (folder / "report.html").write_text("".join(f"<p>{row['iteration']} {row['score']}</p>" for row in rows))

    def close(self) -> None:
        pass


class Silent(PendulumStages):
    """A writer with nothing to say."""

    def write(self, request: WriteRequest) -> Draft:
        raise NothingLeft("Every edit was tried.")


def tree(folder: Path) -> dict[str, Any]:
    """Return every file of a run's folder by name, without what belongs to the clock."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: timeless(v) for k, v in value.items() if k != "seconds" and not k.startswith("seconds/")}
        return [timeless(v) for v in value] if isinstance(value, list) else value

    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_dir() or path.name in ("seconds.json", ".lock", "run.json"):
            continue
        elif path.suffix == ".json":
            found[name] = timeless(json.loads(path.read_text()))
        elif path.suffix == ".jsonl":
            found[name] = [timeless(json.loads(line)) for line in path.read_text().splitlines()]
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
