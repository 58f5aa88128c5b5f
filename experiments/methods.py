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
import variants
from variants import Variant

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.runs.methods import METHODS


def variant(name: str) -> Variant:
    """Return a method as a variant: what is asked of the critic or the writer goes only where the method has one."""
    if name not in METHODS:
        raise MovlrError(f"There is no method '{name}': {did_you_mean(name, METHODS)}there are {', '.join(METHODS)}.")
    method = METHODS[name]
    if not method.learns:
        return Variant(name, reward=name)
    unused = {} if method.judges or method.compares else {"critic": "offline"}
    return Variant(name, {"method": name, **unused, **({"writer": "offline"} if method.one_model else {})})


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "methods")
    made.add_argument("--methods", nargs="+", default=list(METHODS), metavar="METHOD", help=f"of {', '.join(METHODS)}; all by default")
    asked = made.parse_args(argv)
    compared = [variant(name) for name in asked.methods]
    rows, taken = variants.compare(asked, compared)
    drawn = [name for name in asked.methods if any(row.episodes for row in rows if row.work.name == name)]
    variants.save(asked, "methods", "Methods", rows, compared, taken, variants.panels(rows, drawn), drawn)
    return 0


if __name__ == "__main__":
    bench.run(main)
