"""The method comparison: MoVLR, Eureka (text in place of video), HARMON (four frames), one model for all, VLM-RM, chance, and no learning.

    python experiments/methods.py --small --methods movlr eureka human start       # offline critic and writer: minutes on two cores
    python experiments/methods.py --plan                                            # what the whole would execute
    python experiments/methods.py --threads 1                                       # started twice, the two share the work
    python experiments/methods.py --critic gemini --writer openai                   # all methods, three searches each
    python experiments/methods.py --critic gemini --writer openai --clip-weights openai/clip-vit-base-patch32

All methods share body, planner, start reward, sandbox and the motion that a search executes (`--max-simulated`). `random` is movlr with
edits of the library drawn at random in place of its writer. A method that needs a model which is not given is left out of the figure, and
the table says why. Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes methods.md,
methods.json and methods.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import bench
import variants
from variants import Variant

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.runs.methods import METHODS
from movlr_jax.vision.config import ClipConfig

RANDOM = "random"
NAMES = (*METHODS, RANDOM)
TASKS = ("walk_flat", "walk_slope", "bottle_pour")
MAX_SIMULATED = 40.0  # s of motion that a search executes


def variant(name: str, asked: argparse.Namespace) -> Variant:
    """Return a method as a variant: what is asked of the critic, the writer or CLIP goes only where the method has one."""
    if name == RANDOM:
        return Variant(name, {"writer": "random"})
    if name not in METHODS:
        raise MovlrError(f"There is no method '{name}': {did_you_mean(name, NAMES)}there are {', '.join(NAMES)}.")
    method = METHODS[name]
    if not method.learns:
        return Variant(name, reward=name)
    unused = {} if method.judges or method.compares else {"critic": "offline"}
    if method.looks:  # by itself: neither critic nor writer is another's
        return Variant(name, {"method": name, "critic": "offline", "writer": "offline", "clip": ClipConfig(weights=asked.clip_weights)})
    return Variant(name, {"method": name, **unused, **({"writer": "offline"} if method.one_model else {})})


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "methods", plan=True)
    made.set_defaults(tasks=list(TASKS), max_simulated=MAX_SIMULATED)
    made.add_argument("--methods", nargs="+", default=list(NAMES), metavar="METHOD", help=f"of {', '.join(NAMES)}; all by default")
    made.add_argument("--clip-weights", default="", help="CLIP for vlm-rm: a folder, or a name such as openai/clip-vit-base-patch32")
    asked = made.parse_args(argv)
    compared = [variant(name, asked) for name in asked.methods]
    if asked.plan:
        return variants.plan(asked, compared)
    rows, taken = variants.compare(asked, compared)
    drawn = [name for name in asked.methods if any(row.episodes for row in rows if row.work.name == name)]
    variants.save(asked, "methods", "Methods at equal motion", rows, compared, taken, variants.panels(rows, drawn), drawn)
    return 0


if __name__ == "__main__":
    bench.run(main)
