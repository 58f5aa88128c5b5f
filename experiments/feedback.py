"""The feedback ablation: how much the model that watches is shown, and whether it also writes.

    python experiments/feedback.py --small --critic gemini --writer openai          # a look
    python experiments/feedback.py --critic gemini --writer openai                   # walk_flat, three searches a variant
    python experiments/feedback.py --critic openai --writer openai --questions frames facts

Each question changes one thing of MoVLR with the whole clip at 8 frames a second: frames (1, 2, 4, 8 stills), fps (of the clip that is
looked at), width (of the picture), facts (told what was measured, or not; measured alone), models (split, or one that watches and writes).
Every search and every episode is saved as it comes; the same command goes on where it was stopped. Writes feedback.md, feedback.json and
feedback.png.
"""

from __future__ import annotations

from collections.abc import Sequence

import bench
import numpy as np
import variants
from variants import Variant

from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.evaluation.work_items import Row
from movlr_jax.llm.config import SERVICES
from movlr_jax.media import bars

BASE = Variant("video")
# question -> the variants that answer it beside the base, each with the base's place among them.
QUESTIONS: dict[str, tuple[Variant, ...]] = {
    "frames": (*(Variant(f"{n} frame{'s' * (n > 1)}", {"show": Show(clip="frames", frames=n)}) for n in (1, 2, 4, 8)), BASE),
    "fps": (
        Variant("1 frame a second", {"show": Show(fps=1.0)}),
        Variant("4 frames a second", {"show": Show(fps=4.0)}),
        BASE,
        Variant("16 frames a second", {"show": Show(fps=16.0)}),
    ),
    "width": (Variant("240 pixels", {"show": Show(width=240)}), BASE, Variant("960 pixels", {"show": Show(width=960)})),
    "facts": (
        Variant("video, no facts", {"show": Show(facts=False)}),
        Variant("facts, no video", {"show": Show(clip="nothing")}),
        BASE,
    ),
    "models": (Variant("one model for both", {"method": "vlm-only", "writer": "offline"}), BASE),
}


def panels(rows: Sequence[Row], questions: Sequence[str], places: Sequence[tuple[str, str]]) -> list[bars.Panel]:
    """Return a panel a question, a group of bars a variant, a bar a task and body."""
    by_name = {(row.work.name, row.work.task.name, row.work.morphology): row for row in rows}
    made = []
    for question in questions:
        of = QUESTIONS[question]
        found = [[variants.value(by_name[variant.name, *place]) for variant in of] for place in places]
        mean, std = (np.array([[cell[i] for cell in line] for line in found]) for i in (0, 1))
        labels = " / ".join(dict.fromkeys(variants.metric_label(bench.get(task)) for task, _ in places))
        notes = [[cell[2] for cell in line] for line in found]
        made.append(bars.Panel(f"{question}: {labels}", [variant.name.replace(" ", "\n") for variant in of], mean, std, notes))
    return made


def main(argv: Sequence[str] | None = None) -> int:
    made = variants.parser(__doc__, "feedback")
    made.set_defaults(tasks=["walk_flat"])
    made.add_argument("--questions", nargs="+", default=list(QUESTIONS), metavar="Q", help=f"of {', '.join(QUESTIONS)}; all by default")
    asked = made.parse_args(argv)
    for question in asked.questions:
        if question not in QUESTIONS:
            raise MovlrError(f"There is no question '{question}': {did_you_mean(question, QUESTIONS)}there are {', '.join(QUESTIONS)}.")
    if asked.critic not in SERVICES:
        raise MovlrError("The feedback ablation changes what a model is shown: add --critic gemini or --critic openai.")
    named = {variant.name: variant for question in asked.questions for variant in QUESTIONS[question]}
    compared = [BASE, *(variant for variant in named.values() if variant is not BASE)]
    rows, taken = variants.compare(asked, compared)
    places = list(dict.fromkeys((row.work.task.name, row.work.morphology) for row in rows))
    series = [f"{task} on {body}" for task, body in places]
    variants.save(asked, "feedback", "What the critic is shown", rows, compared, taken, panels(rows, asked.questions, places), series)
    return 0


if __name__ == "__main__":
    bench.run(main)
