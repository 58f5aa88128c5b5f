"""Shared by the sandbox's tests: the corpus, the body's motions, and a prover without walls for texts that only need its judgement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from movlr_jax.sandbox import behaviour_motions, jail, workbench
from movlr_jax.sandbox.prove import Prover

CORPUS = Path(__file__).parents[1] / "sandbox" / "corpus"


@dataclass(frozen=True)
class Hostile:
    """A program that must be refused, and words of the reason (alternatives separated by |)."""

    kind: str
    name: str
    words: str
    source: str

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.name}"


def hostile() -> list[Hostile]:
    """Every program of corpus/hostile: a file a kind, `=== name: words` before each; (escaped) ones are written in ASCII escapes."""
    found = []
    for path in sorted((CORPUS / "hostile").glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, body = part.partition("\n")
            name, _, words = head.partition(": ")
            if name.endswith(" (escaped)"):
                name, body = name.removesuffix(" (escaped)"), body.encode("ascii").decode("unicode_escape")
            found.append(Hostile(path.stem, name, words, body))
    return found


def honest() -> dict[str, str]:
    """Every program of corpus/honest by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((CORPUS / "honest").glob("*.txt"))}


class OpenJail:
    """The jail's work done in this process, for texts of this repository: the same code without a new process for each."""

    alive = True

    def ready(self):
        return {"jail": "not granted: in-process, for tests"}

    def ask(self, source, layout, deadline_s):
        return jail._checked(*workbench.prove(source, layout.to_json(), 64))

    def close(self):
        pass


class OpenProver(Prover):
    """A Prover whose jail has no walls."""

    def _start(self):
        return OpenJail()


@pytest.fixture(scope="session")
def motions(myolegs):
    return behaviour_motions.generate(myolegs)


@pytest.fixture(scope="session")
def judge(layout, motions):
    """Prove texts of this repository without a process for each."""
    with OpenProver(layout, motions, spare=False) as prover:
        yield prover
