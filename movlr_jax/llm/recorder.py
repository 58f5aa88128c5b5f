"""Recorder: a Model that passes every question on and keeps the records of the calls until they are taken.

So critics and writers give back judgements and drafts alone, and whoever keeps the books still gets each call, also those
whose answer was of no use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movlr_jax.llm import requests
from movlr_jax.llm.base import Answer, Model, ModelFault, ModelRequest


class Recorder:
    """Keeps records of calls.

    Args:
        model: whom to ask.
    """

    def __init__(self, model: Model):
        self.model, self.name = model, model.name
        self._records: list[Mapping[str, Any]] = []

    def ask(self, request: ModelRequest) -> Answer:
        """Return the model's answer; see `Model.ask`."""
        try:
            answer = self.model.ask(request)
        except ModelFault as fault:
            record = {"purpose": request.purpose, "prompt": request.prompt, "model": self.name, "response": None}
            described = requests.describe("", self.name, request)
            self._records.append({**record, "request": described, "fault": {"kind": fault.kind, "sentence": str(fault)}})
            raise
        self._records.append(answer.record)
        return answer

    def take(self) -> tuple[Mapping[str, Any], ...]:
        """Return the records since the last taking, oldest first, and forget them."""
        taken, self._records = tuple(self._records), []
        return taken
