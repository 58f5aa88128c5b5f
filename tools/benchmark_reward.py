"""What a changed reward costs: until the next plan can start, jail included, for a changed term and for a changed weight.

python tools/benchmark_reward.py --repeats 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np

from movlr_jax import morphologies, tasks
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import RewardBatch
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.sandbox.prove import Prover


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--morphology", default="myolegs")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    body = morphologies.load(args.morphology)
    layout = feature_layout(body)
    instants = np.zeros((1, 64, 45, layout.size), np.float32)
    instants[..., layout.column("frame", 2)] = 1.0
    report: dict[str, object] = {"morphology": body.name}
    with Prover(layout, behaviour_motions.generate(body)) as prover:
        for name in ("start", "human"):
            source = tasks.get("walk_flat").rewards[name]
            rows = []
            for i in range(args.repeats):
                changed = source.replace("m.goal.speed", f"(m.goal.speed + {i + 1}e-3)")
                prover.warm()  # the spare has been warmed while the last motion was simulated
                start = time.perf_counter()
                proof = prover.prove(changed, f"changed {i}")
                proved = time.perf_counter()
                assert proof.reward is not None, proof.verdict
                np.asarray(RewardBatch([proof.reward]).mean_reward(instants))
                done = time.perf_counter()
                reweighed = proof.reward.with_weights({"forward_speed": float(i)})
                np.asarray(RewardBatch([reweighed]).mean_reward(instants))
                rows.append((proved - start, done - proved, time.perf_counter() - done))
            prove, compile_, weight = (statistics.median(row[k] for row in rows) for k in range(3))
            report[name] = {
                "terms": len(proof.reward.term_names) if proof.reward else 0,
                "prove_s": round(prove, 3),
                "compile_and_first_evaluation_s": round(compile_, 3),
                "changed_term_s": round(statistics.median(r[0] + r[1] for r in rows), 3),
                "changed_weight_s": round(weight, 4),
            }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
