"""`movlr VERB ...`: finds the verb, keeps other libraries quiet, and turns errors into one sentence.

In: the command line. Out: an exit code (0 done, 1 a mistake in the input, 2 no such verb, 130 interrupted).
Imports nothing heavy: a verb's file is imported when it is asked for, so that `movlr --help` answers at once.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from movlr_jax import jax_environment, library_noise, proxies
from movlr_jax.cli import streams, system_errors
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.llm import addresses
from movlr_jax.plain_words import plain_text
from movlr_jax.processes import find_modules_where_installed

VERBS: dict[str, str] = {
    "run": "search for a reward that makes a body do a task",
    "resume": "go on with a run that was stopped",
    "replay": "repeat a run from the records of its model calls, without a network",
    "rollout": "move a body with a given reward and print the metrics",
    "eval": "measure rewards on tasks and bodies, every combination, over seeds",
    "gait": "measure recorded walking as a gait laboratory does, beside people's",
    "judge-critic": "try critics on motions of which physics says which is better",
    "transfer": "measure rewards, unchanged, on other tasks and bodies, as a matrix",
    "ablate": "find out what each term of a reward does, and drop those that do little",
    "tune": "find better weights and parameters for a reward by black-box optimisation",
    "sweep": "run many configurations: on this machine, a Ray cluster, Slurm, or by W&B",
    "trial": "run one trial of a sweep here, or go on with it",
    "train": "train a policy by PPO on a task, with the same reward",
    "learn": "learn a terminal value for planners from recorded episodes",
    "check": "put a reward file through the sandbox and explain the verdict",
    "prompt": "list the prompts, or show in full what a run sent to a model",
    "report": "write a run's report.html anew",
    "tasks": "list the tasks",
    "morphologies": "list, fetch, check and show the bodies",
    "parity": "compare an MJX engine with native C MuJoCo",
    "calibrate": "find the gain of a muscle law for one body, by short walks",
    "doctor": "look over this machine: versions, engines, rendering, sandbox, models, keys",
}
TRACEBACK_VARIABLE = "MOVLR_TRACEBACK"

INTERRUPTED = 130


def usage() -> str:
    """Return the text of `movlr --help`."""
    verbs = "\n".join(f"  {name:<14}{what}" for name, what in VERBS.items())
    return (
        "usage: movlr VERB [options]      (movlr VERB --help: its options)\n\n"
        "A sentence in, a moving body out: plans a musculoskeletal body's motion, films and criticises it,\n"
        "rewrites the reward, proves the new one safe, and keeps the best.\n\n"
        f"verbs:\n{verbs}\n\n"
        "start here:\n"
        "  movlr doctor                                   is everything there?\n"
        "  movlr run walk_flat --iterations 4             find a reward for walking\n"
        "  movlr run free --goal 'raise the left knee'    your own sentence\n\n"
        "options:\n"
        "  --allow X     use the address, folder or task's Python X, which only a file or a run's folder\n"
        "                names; an address gets your key; kept for later commands (or MOVLR_ALLOW='X Y')\n"
        "  --traceback   show where an error arose (or MOVLR_TRACEBACK=1)\n"
        "  --version     print the version\n"
    )


def take_allowed(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split `--allow X` and `--allow=X` off the words of a command line and return (the other words, every X)."""
    rest: list[str] = []
    allowed: list[str] = []
    left = iter(words)
    for word in left:
        if word == addresses.FLAG:
            allowed.append(next(left, ""))
        elif word.startswith(f"{addresses.FLAG}="):
            allowed.append(word.partition("=")[2])
        else:
            rest.append(word)
    return rest, allowed


def _tell(sentence: str) -> None:
    try:
        print(f"movlr: {plain_text(sentence)}", file=sys.stderr, flush=True)
    except OSError:  # full, or nobody reads it: the exit code tells
        streams.give_up(sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after `movlr`; None takes the process's own.

    Returns:
        The exit code.
    """
    if argv is None:
        # Python's last search for garbage takes a second and more beside JAX, also after Ctrl-C; all of it ends with the process.
        atexit.register(gc.freeze)
    words = list(sys.argv[1:] if argv is None else argv)
    with_traceback = os.environ.get(TRACEBACK_VARIABLE, "") not in ("", "0") or "--traceback" in words
    words = [word for word in words if word != "--traceback"]
    streams.mend()
    try:
        code = _run(words, with_traceback)
        streams.finish()
        return code
    except SystemExit:  # of --help
        with contextlib.suppress(OSError):
            streams.finish()
        raise
    except KeyboardInterrupt as interrupted:
        if with_traceback:
            raise
        _tell(str(interrupted) or "Interrupted.")
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and streams.reader_left():
            streams.give_up(sys.stdout)
            streams.give_up(sys.stderr)
            return 0
        with contextlib.suppress(OSError):
            streams.finish()
        if with_traceback:
            raise
        _tell(_told(error) or f"A defect, {type(error).__name__}: {error} (the same command with --traceback shows where it arose).")
        return 1


def _run(words: Sequence[str], with_traceback: bool) -> int:
    words, allowed = take_allowed(words)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0 if words else 2
    if words[0] == "--version":
        from movlr_jax import __version__

        print(f"movlr_jax {__version__}")
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        _tell(f"There is no verb '{verb}': {did_you_mean(verb, VERBS)}known are {', '.join(VERBS)}.")
        return 2
    _require_current_folder()
    find_modules_where_installed()
    proxies.around_this_machine()
    if not with_traceback:
        library_noise.silence()
    if verb != "doctor":  # which tells it among the rest
        jax_environment.require_flags()
    for target in allowed:
        addresses.allow(target)
    return int(importlib.import_module(f"movlr_jax.cli.{verb.replace('-', '_')}").main(rest))


def _told(error: Exception) -> str | None:
    """Return the sentence for an exception; None: a defect of this program."""
    if isinstance(error, MovlrError):
        return str(error)
    own = sys.modules.get("movlr_jax.tasks.own")  # where a task of the user's own raised it
    return (own and own.fault(error)) or system_errors.sentence(error) or jax_environment.fault(error)


def _require_current_folder() -> None:
    """Refuse to work where no folder is any more: paths, libraries and processes of ours all begin there."""
    try:
        Path.cwd()
    except OSError as error:
        raise MovlrError(f"The current folder cannot be used ({error.strerror}; was it deleted?): go to another with cd.") from None


if __name__ == "__main__":
    sys.exit(main())
