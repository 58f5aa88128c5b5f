"""Command lines as nobody should type them: each verb with values, files and folders that it does not expect, drawn at random.

Used by `test_odd_commands.py`, and at length by `tools/fuzz_commands.py`.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import random
import socket
import typing
from pathlib import Path

from movlr_jax.cli.main import VERBS

# What starts on other machines, or waits for them.
_LEFT_OUT = {"--mjx.hosts", "--tied-to", "--hands", "--address", "--on"}
_RECORDS = {
    "run": ("movlr_jax.runs.config", "RunConfig"),
    "train": ("movlr_jax.learning.rl.config", "TrainConfig"),
    "morphologies check": ("movlr_jax.cli.morphologies", "CheckOptions"),
    "morphologies show": ("movlr_jax.cli.morphologies", "ShowOptions"),
    "prompt show": ("movlr_jax.cli.prompt", "ShowOptions"),
    "prompt list": ("movlr_jax.cli.prompt", "ListOptions"),
    "judge-critic": ("movlr_jax.cli.judge_critic", "Options"),
    "learn value": ("movlr_jax.cli.learn", "ValueOptions"),
}
SIGHT = ("morphologies", "prompt", "learn", "doctor")  # verbs without the options that their words below have
COMMANDS = [verb for verb in VERBS if verb not in SIGHT] + [name for name in _RECORDS if " " in name]

WORDS = ["", " ", "-", "--", "nan", "inf", "-inf", "-1", "0", "1", "2", "1e400", "1e-300", "9" * 25, "-0.5", "1e9", "=", "a=b", "*=-1"]
WORDS += ["é", "\u202e", "\x1b[31m", "\udcff", "a/b", "../x", "/", ".", "..", "~", "~nobody", "$HOME", "x" * 5000, "a\nb", "None", "True"]
WORDS += ["[]", "{}", "free", "stand", "human", "start", "myolegs", "native", "warp", "jax", "auto", "offline", "gemini", "soleus*=0.5"]
WORDS += ["http://[", "ftp://x"]
NUMBERS = ["nan", "inf", "-inf", "-1", "0", "1", "2", "0.1", "1e400", "1e-300", "9" * 25, "-0.5", "1e9", "4294967296", "1e308", "-0", "1_0"]
FILES = ["folder", "empty", "picture.png", "binary", "dangling", "circle", "fifo", "socket", "reward.py", "run.yaml", "folder/deep/er"]
FILES += ["empty/x", "not-there.yaml", "\udcffname.yaml", "list.yaml", "deep.yaml", "number.yaml", "wrong.yaml", "torn.json", "run"]
FILES += ["run/config.yaml", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "/nowhere/else", "./", "sweep.yaml", "body.yaml"]
_KINDS = {"path": "Path", "flag": "bool", "number": "int", "number ": "float"}

REWARD = 'WEIGHTS = {"up": 1.0}\n\n\ndef terms(m):\n    return {"up": m.pelvis.height}\n'


def furnish(place: Path) -> None:
    """Fill a folder with what the words name."""
    (place / "folder").mkdir()
    (place / "run").mkdir()
    for name, data in {
        "empty": b"",
        "picture.png": b"\x89PNG\r\n\x1a\n\x00\x00",
        "binary": bytes(range(256)),
        "reward.py": REWARD.encode(),
        "run.yaml": b"task: stand\niterations: 1\n",
        "list.yaml": b"- 1\n- 2\n",
        "number.yaml": b"7\n",
        "deep.yaml": b"[" * 5000,
        "wrong.yaml": b"task: [1]\nseeds: {a: b}\nplanner: 3\nout: 4\n",
        "torn.json": b'{"a": ',
        "sweep.yaml": b"name: x\nbase: {task: stand}\ngrid: {seed: [1, nan]}\n",
        "body.yaml": b"name: b\nmodel: empty\n",
        "run/config.yaml": b"task: 1\n",
    }.items():
        (place / name).write_bytes(data)
    (place / os.fsdecode(b"\xffname.yaml")).write_bytes(b"task: stand\n")
    (place / "dangling").symlink_to("nothing")
    (place / "circle").symlink_to("circle")
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        try:
            os.chdir(place)  # the name of a socket is short
            made.bind("socket")
        finally:
            os.chdir(here)


def flags(command: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the flags that a command takes, each with the kind of its value, and the kinds of its words without a flag."""
    module, name = _RECORDS.get(command, (f"movlr_jax.cli.{command}", "Options"))
    found: list[tuple[str, str]] = []
    positional: list[str] = ["word"] if command in ("run", "train") else []

    def gather(record: type, prefix: str) -> None:
        hints = typing.get_type_hints(record, include_extras=True)
        for field in dataclasses.fields(record):
            hint = hints[field.name]
            marks = getattr(hint, "__metadata__", ())
            inner = typing.get_args(hint)[0] if marks else hint
            if dataclasses.is_dataclass(inner):
                gather(typing.cast(type, inner), f"{prefix}{field.name}.")
                continue
            kind = next((kind for kind, word in _KINDS.items() if word in repr(inner)), "word")
            if any("positional" in repr(mark).lower() for mark in marks):
                positional.append(kind)
                continue
            named = next((mark.name for mark in marks if getattr(mark, "name", None)), field.name)
            found.append((f"--{prefix}{named}".replace("_", "-"), kind))

    gather(getattr(importlib.import_module(module), name), "")
    return [(flag, kind) for flag, kind in found if flag not in _LEFT_OUT], positional


def command(rng: random.Random, name: str) -> list[str]:
    """Draw the words after `movlr` for a command: most of the right kind, so that they come further than the first look."""
    known, positional = flags(name)

    def word(kind: str) -> str:
        right = {"number": NUMBERS, "number ": NUMBERS, "path": FILES}.get(kind, WORDS)
        return rng.choice(right if rng.random() < 0.7 else rng.choice([WORDS, FILES, NUMBERS]))

    rest = [word(kind) for kind in positional]
    if rng.random() < 0.1:
        rest = rest[:-1] if rng.random() < 0.5 else [*rest, word("word")]
    if name in ("run", "train") and rng.random() < 0.5:
        rest = [*rest[1:], "--config", word("path")]
    for _ in range(rng.randint(0, 3) if known else 0):
        flag, kind = rng.choice(known)
        rest += [flag, *([word(kind)] if kind != "flag" or rng.random() < 0.1 else [])]
    if name == "parity":
        rest += ["--morphology", word("word")]  # else every body is audited
    return [*name.split(), *rest]
