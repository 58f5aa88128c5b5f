"""`movlr learn value EPISODES...`: learns from recorded episodes what planners take, today a terminal value.

In: files of episodes, and folders that hold some, fallen ones above all. Out: the network's file (`--planner.value FILE`), its figures
beside it as JSON and on stdout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import tyro

from movlr_jax import atomic
from movlr_jax.cli import console, flags
from movlr_jax.cli.progress import paced
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.learning.values.config import ValueConfig

_ABOUT = "Learn from recorded episodes what planners take."


@dataclass(frozen=True, kw_only=True)
class ValueOptions(ValueConfig):
    """Learn a terminal value: the probability that a body which moves like this falls soon.

    Planners take its file with --planner.value FILE.
    """

    episodes: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Files of episodes (rollout.npz), and folders that hold some at any depth: of runs, rollouts and fall banks. Fallen ones above all."""
    morphology: str | None = None
    """The body that moves in them; what their records say if left out."""
    out: Path | None = None
    """The network's file; value-BODY.npz if left out. Its figures stand beside it, as .json."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""

    def config(self) -> ValueConfig:
        """Return how is learnt, without where from and where to."""
        return ValueConfig(**{f.name: getattr(self, f.name) for f in fields(ValueConfig)})


_ACTIONS = {"value": ("EPISODES ...", ValueOptions)}


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    if argv and argv[0] in ("-h", "--help"):
        print(flags.actions_help("learn", _ABOUT, _ACTIONS), end="")
        raise SystemExit(0)  # as the help of the other verbs
    if not argv or argv[0] not in _ACTIONS:
        complaint = f"{argv[0]} is none of them: {did_you_mean(argv[0], _ACTIONS)}it" if argv else "It"
        raise MovlrError(f"movlr learn needs to know what. {complaint} can learn a {' and a '.join(_ACTIONS)} (movlr learn --help).")
    return value(argv[1:])


def value(argv: Sequence[str]) -> int:
    """Run `movlr learn value`."""
    options = flags.parse(ValueOptions, argv, "learn value")
    if not options.episodes:
        raise MovlrError("There is nothing to learn from: name episodes (rollout.npz), or folders that hold some.")
    from movlr_jax.learning.values import episodes, train
    from movlr_jax.morphologies import catalog

    word = options.morphology or episodes.body_of(episodes.files(options.episodes))
    if word is None:
        raise MovlrError("No record beside these episodes says whose they are: name the body with --morphology.")
    out = options.out or Path(f"value-{Path(word).stem}.npz")
    if out.suffix != ".npz":
        raise MovlrError(f"--out is {out}: give a name that ends in .npz, by which planners know it.")
    atomic.require_writable(out.parent)
    pace, config = paced(), options.config()

    def moved(done: int, loss: float) -> None:
        pace.moved(f"update {done} of {config.updates * (config.folds + 1)}: loss {loss:.3f}")

    learnt = train.learn(options.episodes, catalog.load(word), config, moved)
    learnt.network.save(out)
    figures = atomic.write_json(out.with_suffix(".json"), learnt.figures)
    if options.json:
        console.print_json(figures)
        return 0
    rows = []
    for name, some in (("networks, of episodes held out", figures["held_out"]), ("capture", figures["capture"])):
        known = [some.get(which) for which in ("auc", "auc_early", "log_loss")]
        rows.append((name, *map(_cell, [*known, some.get("calibration", {}).get("error")])))
    title = f"{figures['fallen']} of {figures['episodes']} episodes of {figures['body']} fell; a fall within {config.window:g} s"
    headings = ("foretold by", "area under the curve", "the fall 0.5 s away or more", "log loss", "calibration error")
    to = console.stdout()
    to.print(console.table(title, headings, rows))
    to.print(f"saved as {out}   plan with it: --planner.value {out}", markup=False, soft_wrap=True)
    return 0


def _cell(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"
