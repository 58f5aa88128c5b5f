"""The view of a run, on a terminal and in a log."""

from __future__ import annotations

import io

from rich.console import Console

from movlr_jax.cli.progress import View
from movlr_jax.searches.events import Event

STORY = [
    Event("run", iterations=2, message="walk_flat on myolegs, engine native."),
    Event("iteration", 0, 2),
    Event("stage", 0, 2, "move", seed=0, seconds=4.0),
    Event("simulated", 0, 2, "move", seed=0, simulated_s=1.5, seconds=4.0),
    Event("judged", 0, 2, "save", best=0, best_score=0.25, score=0.25, kept=True, message="Fell forward at 1.9 s."),
    Event("iteration", 1, 2, best=0, best_score=0.25),
    Event("refused", 1, 2, "prove", best=0, best_score=0.25, message="Line 3: no such landmark."),
    Event("stage", 1, 2, "move", seed=0, seconds=4.0, best=0, best_score=0.25),
    Event("judged", 1, 2, "save", best=0, best_score=0.25, score=0.125, kept=False, message="Leans back."),
    Event("finished", 1, 2, best=0, best_score=0.25, message="Finished: 2 iterations."),
]


def tell(terminal: bool) -> str:
    out = io.StringIO()
    with View(Console(file=out, force_terminal=terminal, width=110), "Run folder: runs/x") as view:
        for event in STORY:
            view(event)
    return out.getvalue()


def test_a_log_gets_plain_lines() -> None:
    heading, *timed = tell(terminal=False).splitlines()
    assert heading == "Run folder: runs/x"
    lines = [line.split("] ", 1)[1] for line in timed]
    assert lines == [
        "walk_flat on myolegs, engine native.",
        "iteration 0 of 2: moving the body (seed 0) for 4 s",
        "iteration 0 of 2: score 0.250, kept as best. Fell forward at 1.9 s.",
        "iteration 1 of 2: refused: Line 3: no such landmark.",
        "iteration 1 of 2: moving the body (seed 0) for 4 s",
        "iteration 1 of 2: score 0.125, not kept, best is iteration 0. Leans back.",
        "Finished: 2 iterations.",
    ]


def test_a_terminal_gets_the_whole_picture() -> None:
    text = tell(terminal=True)
    assert text.count("Run folder: runs/x") == 1
    assert "Fell forward at 1.9 s." in text and "Leans back." in text
    assert "best so far: iteration 0, score 0.250" in text
    assert "refused: Line 3" in text


def test_while_moving_the_simulated_time_is_shown() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=110)
    view = View(console)
    for event in STORY[:4]:
        view(event)
    console.print(view)
    assert "iteration 0 of 2" in out.getvalue() and "1.50 of 4 s" in out.getvalue()
    assert "best so far: none yet" in out.getvalue()
