"""The transfer matrix: rewards made for one task, the learned one among them, on others and on another body without change.

    python experiments/transfer.py --small                             # minutes on two cores
    python experiments/transfer.py --plan                              # what the whole would execute
    python experiments/transfer.py --threads 1                         # full length, five seeds; started twice, the two share the work
    python experiments/transfer.py --from walk_flat --tasks walk_flat stand --metric seconds

By default from flat ground to rough ground, a slope, an injured leg and the ostrich. Writes transfer.md, transfer.json and transfer.png.
The search is the main table's; the same command goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import bench
import forecast
import main_table

from movlr_jax import atomic
from movlr_jax.evaluation import transfer, work_items
from movlr_jax.media import tables
from movlr_jax.tasks import get

TASKS = ("walk_flat", "walk_rough", "walk_slope", "walk_injured", "ostrich_walk")


def main(argv: Sequence[str] | None = None) -> int:
    parser = bench.parser(__doc__, "transfer", plan=True)
    parser.set_defaults(tasks=list(TASKS), max_simulated=main_table.MAX_SIMULATED)
    parser.add_argument("--from", nargs="+", default=["walk_flat"], dest="sources", metavar="TASK", help="tasks the rewards are made for")
    parser.add_argument("--rewards", nargs="+", default=["human"], metavar="R", help="named rewards of those tasks, beside the learned")
    parser.add_argument("--metric", default="distance_m", help="what the matrix shows")
    asked = parser.parse_args(argv)
    sources = [get(name) for name in asked.sources]
    found = transfer.rewards(sources, asked.rewards)
    wanted = [bench.Search(task, work_items.bodies_of(task)[0]) for task in sources]
    places = transfer.places(bench.tasks(asked), asked.morphologies)
    if asked.plan:
        return forecast.show(asked, wanted, [(task, body, len(found) + len(wanted)) for task, body in places])
    bench.search_all(asked, wanted)
    learned = [bench.learned(asked, search.task, search.body) for search in wanted]
    found += [work.reward for work in learned if work.reward is not None]
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
