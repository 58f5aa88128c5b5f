"""Client: what speaks a service's protocol, and nothing more.

Flows in: a ModelRequest. Flows out: a Reply, or a Fault (`faults.py`). Clients keep no records and try once; the gateway does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from movlr_jax.llm.base import ModelRequest


@dataclass(frozen=True)
class Reply:
    """One answer of a service.

    Attributes:
        text: the model's words.
        complete: False where the service's token limit cut them off.
        tokens_in: of the request, or None where the service does not tell.
        tokens_out: of the answer, thoughts included.
        answered_by: the model that answered, in the service's words.
        thoughts: what the service set apart as thought aloud, where there is no text beside it.
        learnt: what is known by now that the service does not take (`dialect.py`).
    """

    text: str
    complete: bool = True
    tokens_in: int | None = None
    tokens_out: int | None = None
    answered_by: str = ""
    thoughts: str = ""
    learnt: tuple[str, ...] = ()


class Client(Protocol):
    """Speaks to one model of one service.

    Attributes:
        name: the model.
        service: "gemini" or "openai".
    """

    name: str
    service: str

    def send(self, request: ModelRequest) -> Reply:
        """Ask once.

        Raises:
            Fault: what went wrong.
        """
        ...

    def recall(self, learnt: Iterable[str]) -> None:
        """Take what an earlier process of the same run learnt of the service, as `Reply.learnt` told it."""
        ...

    def models(self) -> list[str]:
        """Return the names of the models that the service has.

        Raises:
            Fault: what went wrong.
        """
        ...
