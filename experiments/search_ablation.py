"""The ablation of the search itself: what each of its parts is worth, at equal motion.

    python experiments/search_ablation.py --small                # minutes on two cores
    python experiments/search_ablation.py --plan                 # what the whole would execute
    python experiments/search_ablation.py --threads 1            # walk_flat on myolegs; started twice, the two share the work
    python experiments/search_ablation.py --variants base "one seed"

Each variant changes one thing of the base, which writes two programs an iteration, races them and moves each that is left on two seeds. The
base and the variants in front are searched with three times (run seeds 0, 1, 2), the last ones once, which their names say: one search
tells nothing from luck. Every search executes `--max-simulated` seconds of motion, or as much more as completes its last iteration; the
best reward of each is measured on seeds that no search saw. What a critic that measures never looks at, the pictures, is varied only with
one that watches (--critic gemini or openai). Every search and every episode is saved as it comes; the same command goes on where it was
stopped. Writes search_ablation.md, search_ablation.json and search_ablation.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import bench
import variants
from variants import Variant

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.llm.config import SERVICES
from movlr_jax.runs import race_config
from movlr_jax.runs.tune_config import InnerTune

MAX_SIMULATED = 40.0  # s of motion that a search executes
SECONDS = 4.0  # s of an episode: an iteration of the base executes four
SEEDS = (11, 12, 13, 14, 15)  # of what is reported
BASE = Variant("base", {"candidates": 2, "seeds": (0, 1)})
WATCHED, PARAMETERS = "side view only, one search", "parameters off"
# One line a part of the search: what is changed of the base.
VARIANTS: tuple[Variant, ...] = (
    BASE,
    Variant(PARAMETERS),  # of the tuning that the flags ask for
    Variant("racing off", {"race": race_config.OFF}),
    Variant("failed attempts hidden", {"show_failed": False}),
    Variant("one candidate, one search", {"candidates": 1}, searches=1),
    Variant("one seed, one search", {"seeds": (0,)}, searches=1),
    Variant(WATCHED, {"show": Show(front=False)}, searches=1),
)
_UNSEEN = "The critic offline looks at no pictures: add --critic gemini or --critic openai."
_UNTUNED = "Parameters are varied where a search tunes: add --trials 4."


def compared(asked: argparse.Namespace) -> list[Variant]:
    """Return the variants asked for, each with what the base has; one that would change nothing says why."""
    known = {variant.name: variant for variant in VARIANTS}
    for name in asked.variants:
        if name not in known:
            raise MovlrError(f"There is no variant '{name}': {did_you_mean(name, known)}there are {', '.join(known)}.")
    tune = InnerTune(asked.trials)
    base = {**BASE.changes, "tune": tune}
    own = {PARAMETERS: {"tune": replace(tune, parameters=False)}}
    empty = {} if asked.critic in SERVICES else {WATCHED: _UNSEEN}
    empty |= {} if asked.trials else {PARAMETERS: _UNTUNED}
    return [
        replace(known[name], changes={**base, **known[name].changes, **own.get(name, {})}, refused=empty.get(name, ""))
        for name in asked.variants
    ]


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "search_ablation", plan=True)
    made.set_defaults(tasks=["walk_flat"], morphologies=["myolegs"], max_simulated=MAX_SIMULATED)
    names = [variant.name for variant in VARIANTS]
    made.add_argument("--variants", nargs="+", default=names, metavar="V", help=f"of {', '.join(names)}; all by default")
    made.add_argument("--trials", type=int, default=0, help="sets of weights and parameters tried for each text; 0: as written")
    asked = made.parse_args(argv)
    if asked.seconds is None and not asked.small:
        asked.seconds = SECONDS
    asked.seeds = asked.seeds or list(SEEDS[:1] if asked.small else SEEDS)
    of = compared(asked)
    if asked.plan:
        return variants.plan(asked, of)
    rows, taken = variants.compare(asked, of)
    drawn = [variant.name for variant in of if not variant.refused]
    variants.save(asked, "search_ablation", "The parts of the search", rows, of, taken, variants.panels(rows, drawn), drawn)
    return 0


if __name__ == "__main__":
    bench.run(main)
