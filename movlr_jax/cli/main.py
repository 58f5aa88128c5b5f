"""`movlr VERB ...`: finds the verb, keeps other libraries quiet, and turns errors into one sentence.

In: the command line. Out: an exit code (0 done, 1 a mistake in the input, 2 no such verb, 130 interrupted).
Imports nothing heavy: a verb's file is imported when it is asked for, so that `movlr --help` answers at once.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence

from movlr_jax import jax_environment
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.models import addresses
from movlr_jax.plain_words import plain_text
from movlr_jax.processes import find_modules_where_installed

VERBS: dict[str, str] = {
    "run": "search for a reward that makes a body do a task",
    "resume": "go on with a run that was stopped",
    "replay": "repeat a run from the records of its model calls, without a network",
    "rollout": "move a body with a given reward and print the metrics",
    "eval": "measure rewards on tasks and bodies, every combination, over seeds",
    "transfer": "measure rewards, unchanged, on other tasks and bodies, as a matrix",
    "ablate": "find out what each term of a reward does, and drop those that do little",
    "tune": "find better weights for a reward's terms by black-box optimisation",
    "sweep": "run many configurations: on this machine, a Ray cluster, Slurm, or by W&B",
    "trial": "run one trial of a sweep here, or go on with it",
    "train": "train a policy by PPO on a task, with the same reward",
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
        "  --allow X     use the address, the folder or the task's Python file X, which only a file or a run's\n"
        "                folder names, and send the address your key; kept for later (or MOVLR_ALLOW='X Y')\n"
        "  --traceback   show where an error arose (or MOVLR_TRACEBACK=1)\n"
        "  --version     print the version\n"
    )


def quiet() -> None:
    """Silence what other libraries say about themselves in a normal run; what a user set in the environment stays."""
    for variable, value in {
        "MUJOCO_GL": "egl",
        "EGL_LOG_LEVEL": "fatal",
        "MESA_DEBUG": "silent",
        "LIBGL_DEBUG": "quiet",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "ABSL_MIN_LOG_LEVEL": "3",
        "GRPC_VERBOSITY": "ERROR",
    }.items():
        os.environ.setdefault(variable, value)
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    for name in ("jax", "absl", "matplotlib", "imageio_ffmpeg", "OpenGL", "google_genai", "openai", "httpx2"):
        logging.getLogger(name).setLevel(logging.ERROR)


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
    print(f"movlr: {plain_text(sentence)}", file=sys.stderr)


def _of_the_system(error: OSError) -> str:
    """Return a sentence for what the system would not do: with which path, why, and what helps."""
    cures = {
        errno.ENOSPC: "make room, then give the same command again",
        errno.EDQUOT: "make room, then give the same command again",
        errno.EROFS: "choose a folder that can be written",
        errno.EACCES: "make it readable and writable, or choose another path",
        errno.EPERM: "make it readable and writable, or choose another path",
        errno.ENOENT: "check the path; if it belongs to a run, restore it",
        errno.EMFILE: "raise the number of open files (ulimit -n), then give the same command again",
    }
    where = f"{error.filename}: " if error.filename else ""
    why = error.strerror or type(error).__name__
    cure = cures.get(error.errno or 0, "mend that, then give the same command again")
    return f"{where}{why[:1].upper() if not where else why[:1].lower()}{why[1:]}: {cure}; what was finished is saved."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after `movlr`; None takes the process's own.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with_traceback = os.environ.get(TRACEBACK_VARIABLE, "") not in ("", "0") or "--traceback" in words
    words, allowed = take_allowed([w for w in words if w != "--traceback"])
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
    find_modules_where_installed()
    if not with_traceback:
        quiet()
    try:
        if verb != "doctor":  # which tells it among the rest
            jax_environment.require_flags()
        for target in allowed:
            addresses.allow(target)
        return int(importlib.import_module(f"movlr_jax.cli.{verb}").main(rest))
    except MovlrError as error:
        if with_traceback:
            raise
        _tell(str(error))
        return 1
    except KeyboardInterrupt as interrupted:
        if with_traceback:
            raise
        _tell(str(interrupted) or "Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (movlr ... | head). Point stdout elsewhere, or the flush at exit complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if with_traceback:
            raise
        _tell(_of_the_system(error))
        return 1
    except Exception as error:
        if with_traceback:
            raise
        if sentence := jax_environment.fault(error):
            _tell(sentence)
            return 1
        if "movlr_jax.tasks.own" in sys.modules and (sentence := sys.modules["movlr_jax.tasks.own"].fault(error)):
            _tell(sentence)
            return 1
        _tell(f"A defect, {type(error).__name__}: {error} (the same command with --traceback shows where it arose).")
        return 1


if __name__ == "__main__":
    sys.exit(main())
