"""The transfer matrix: rewards made for one task, the learned one among them, on all others without change.

    python experiments/transfer.py --small                             # minutes on two cores
    python experiments/transfer.py                                     # full length, five seeds
    python experiments/transfer.py --from walk_flat --tasks walk_flat stand --metric seconds

Writes transfer.md, transfer.json and transfer.png. Shares its searches with the other experiments.
"""

from __future__ import annotations

from collections.abc import Sequence

import bench

from movlr_jax import atomic
from movlr_jax.evaluation import transfer, work_items
from movlr_jax.media import tables
from movlr_jax.tasks import get


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "transfer")
    parser.add_argument("--from", nargs="+", default=["walk_flat"], dest="sources", metavar="TASK", help="tasks the rewards are made for")
    parser.add_argument("--rewards", nargs="+", default=["human"], metavar="R", help="named rewards of those tasks, beside the learned")
    parser.add_argument("--metric", default="distance_m", help="what the matrix shows")
    asked = parser.parse_args(argv)
    sources = [get(name) for name in asked.sources]
    found = transfer.rewards(sources, asked.rewards)
    learned = [bench.learned(asked, task, work_items.bodies_of(task)[0]) for task in sources]
    found += [work.reward for work in learned if work.reward is not None]
    # Without tasks named by hand: those that this metric tells something about.
    chosen = [task for task in bench.tasks(asked) if task.metric == asked.metric or asked.tasks != list(bench.MEASURED)]
    places = transfer.places(chosen, asked.morphologies)
    rows = bench.measure(asked, transfer.works(found, places))
    matrix = transfer.Matrix(asked.metric, found, places, rows)
    remarks = [f"learned from {work.task.name} on {work.morphology}: {work.refused}" for work in learned if work.refused] + matrix.remarks()
    atomic.write_text(asked.out / "transfer.md", f"# {asked.metric}\n\n{tables.markdown(*matrix.table(), remarks)}")
    atomic.write_json(asked.out / "transfer.json", matrix.document())
    matrix.draw(asked.out / "transfer.png")
    bench.show(asked, matrix.table(), remarks, "transfer.md", "transfer.json", "transfer.png")
    return 0


if __name__ == "__main__":
    bench.run(main)
