"""The method comparison: MoVLR, Eureka (text in place of video), HARMON (four frames), one model for all, and no learning.

    python experiments/methods.py --small --methods movlr eureka human start       # offline critic and writer: minutes on two cores
    python experiments/methods.py --critic gemini --writer openai                   # all methods, three searches each
    python experiments/methods.py --critic gemini --writer openai --tasks walk_flat

All methods share body, planner, start reward, sandbox and the number of iterations. A method that needs a model which is not given is
left out of the figure, and the table says why. Every search and every episode is saved as it comes; the same command goes on where it was
stopped. Writes methods.md, methods.json and methods.png.
"""

from __future__ import annotations

from collections.abc import Sequence

import bench
import numpy as np
import variants
from variants import Variant

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.media import bars
from movlr_jax.search.evaluation import Row
from movlr_jax.search.methods import METHODS


def variant(name: str) -> Variant:
    """Return a method as a variant: what is asked of the critic or the writer goes only where the method has one."""
    if name not in METHODS:
        raise MovlrError(f"There is no method '{name}': {did_you_mean(name, METHODS)}there are {', '.join(METHODS)}.")
    method = METHODS[name]
    if not method.learns:
        return Variant(name, reward=name)
    unused = {} if method.judges or method.compares else {"critic": "offline"}
    return Variant(name, {"method": name, **unused, **({"writer": "offline"} if method.one_model else {})})


def panels(rows: Sequence[Row], names: Sequence[str]) -> list[bars.Panel]:
    """Return a panel of bars for each metric that tasks are measured by."""
    by_metric: dict[str, list[Row]] = {}
    for row in (row for row in rows if row.work.name in names):
        by_metric.setdefault(row.work.task.metric, []).append(row)
    made = []
    for of in by_metric.values():
        places = list(dict.fromkeys((row.work.task.name, row.work.morphology) for row in of))
        mean = np.full((len(names), len(places)), np.nan)
        std, notes = mean.copy(), [[""] * len(places) for _ in names]
        for row in of:
            m, p = names.index(row.work.name), places.index((row.work.task.name, row.work.morphology))
            mean[m, p], std[m, p], notes[m][p] = variants.value(row)
        made.append(bars.Panel(variants.metric_label(of[0].work.task), [f"{task}\n{body}" for task, body in places], mean, std, notes))
    return made


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "methods")
    made.add_argument("--methods", nargs="+", default=list(METHODS), metavar="METHOD", help=f"of {', '.join(METHODS)}; all by default")
    asked = made.parse_args(argv)
    compared = [variant(name) for name in asked.methods]
    rows, taken = variants.compare(asked, compared)
    drawn = [name for name in asked.methods if any(row.episodes for row in rows if row.work.name == name)]
    variants.save(asked, "methods", "Methods", rows, compared, taken, panels(rows, drawn), drawn)
    return 0


if __name__ == "__main__":
    bench.run(main)
