"""Model: what a critic or a writer asks of a language model, whoever serves it.

Flows in: a ModelRequest (text, pictures, a clip, the schema of the answer). Flows out: an Answer (text, and the record of the call). A
client (`gemini`, `openai_compatible`) only speaks its protocol; retries, cache, budget, prices and records are the `gateway`'s, so that
they are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class Image:
    """A picture.

    Attributes:
        data: PNG bytes.
    """

    data: bytes


@dataclass(frozen=True)
class Video:
    """A clip.

    Attributes:
        path: an MP4 file.
        frames_per_second: how many of its frames the model is to look at [1/s]; a gait cycle needs 8 or more.
        moments: when the pictures are taken that go in its place where a service takes no film (s), but for the last frame, which goes in
            any case; empty: evenly, at that rate.
    """

    path: Path
    frames_per_second: float
    moments: tuple[float, ...] = ()


Part = Text | Image | Video


@dataclass(frozen=True)
class ModelRequest:
    """One request, in no service's dialect.

    Attributes:
        purpose: "critique", "compare" or "write".
        prompt: name and version of the prompt it was rendered from ("critique@1f2e3d4c"), for the record.
        system: the standing instruction.
        parts: what is shown, in order.
        schema: the form that the answer must have (it is asked for as JSON), or None for free text.
        exchange: earlier answers to this request, each with the complaint that was made of it, oldest first.
        temperature: 0 is the most likely answer.
        max_tokens: longest answer.
        seed: for services that take one.
    """

    purpose: str
    prompt: str
    system: str
    parts: tuple[Part, ...]
    schema: type[BaseModel] | None = None
    exchange: tuple[tuple[str, str], ...] = ()
    temperature: float = 0.0
    max_tokens: int = 8192
    seed: int | None = None


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        text: the model's words.
        record: the call as plain JSON data, without secrets or clip bytes: purpose, prompt, model, request, response,
            tokens, seconds, price.
        complete: False where the service cut the answer off (its token limit).
        thoughts: what the service set apart as thought aloud, where there is no text beside it.
        max_tokens: the longest answer that was asked for.
    """

    text: str
    record: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True
    thoughts: str = ""
    max_tokens: int = 8192


# unreachable: no answer after all retries. refused: the service will never answer this as it is set up (key, model name, quota,
# request). blocked: a safety filter took the answer. unusable: answers came, and none could be used. stopped: the run's budget of
# calls or money is spent. unrecorded: a replay was asked for what its records do not hold.
FaultKind = Literal["unreachable", "refused", "blocked", "unusable", "stopped", "unrecorded"]


class ModelFault(MovlrError):
    """A model that cannot be asked, or whose answers cannot be used, told in one sentence that names the cause and the cure.

    Attributes:
        kind: what a caller may do about it. After "blocked" and "unusable" the work can go on without this answer, and the same
            request meets the same fault again; after the others the run stops, saved, and the request is made again when it goes on.
        record: key of the record that holds the blocked or unusable answer, or "".
    """

    def __init__(self, sentence: str, kind: FaultKind = "unusable", record: str = ""):
        super().__init__(sentence)
        self.kind: FaultKind = kind
        self.record = record


@runtime_checkable
class Model(Protocol):
    """A model that can be asked.

    Attributes:
        name: as its service calls it.
    """

    name: str

    def ask(self, request: ModelRequest) -> Answer:
        """Return the model's answer.

        Raises:
            ModelFault: there is none to be had, after all retries.
        """
        ...
