"""Models and clients that answer from a function, and keep what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from movlr_jax.llm.base import Answer, ModelRequest
from movlr_jax.llm.client import Reply


class ScriptedModel:
    """A Model: `answer` is a function of the ModelRequest, or the answers in order. Every ModelRequest is kept in `asks`."""

    def __init__(self, answer: Callable[[ModelRequest], str] | Iterable[str], name: str = "scripted"):
        self.name, self.asks = name, list[ModelRequest]()
        self._answer = answer if callable(answer) else _in_order(answer)

    def ask(self, ask: ModelRequest) -> Answer:
        self.asks.append(ask)
        text = self._answer(ask)
        return Answer(text, {"purpose": ask.purpose, "prompt": ask.prompt, "model": self.name, "response": text})


class ScriptedClient:
    """A Client for the gateway, likewise. What the function raises, or what it returns as a Fault, is raised."""

    def __init__(self, answer: Callable[[ModelRequest], Any] | Iterable[Any], name: str = "scripted", service: str = "openai"):
        self.name, self.service, self.asks = name, service, list[ModelRequest]()
        self._answer = answer if callable(answer) else _in_order(answer)

    def send(self, ask: ModelRequest) -> Reply:
        self.asks.append(ask)
        answer = self._answer(ask)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(answer, tokens_in=100, tokens_out=10, answered_by=self.name)

    def recall(self, learnt: Iterable[str]) -> None:
        pass

    def models(self) -> list[str]:
        return [self.name]


def _in_order(answers: Iterable[Any]) -> Callable[[ModelRequest], Any]:
    left = iter(answers)
    return lambda ask: next(left)
