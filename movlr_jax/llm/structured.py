"""Asking for an answer of a given form: what cannot be used is complained of, and asked for again.

Flows in: a Model, a ModelRequest, a pydantic class. Flows out: an instance of it, and the records of the calls made for it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from movlr_jax.llm.base import Answer, Model, ModelFault, ModelRequest
from movlr_jax.llm.reasoning import alone, without_thoughts

T = TypeVar("T", bound=BaseModel)

THOUGHTS_ALONE = "You thought aloud and gave no answer beside it."
THOUGHTS_CURE = "switch the model's thinking off, or start its server without a reasoning parser, which takes answers for thoughts"
# Times that a model is told what is wrong with its answer; a model that fails three times goes on failing.
COMPLAINTS = 2
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL | re.IGNORECASE)


_ANOTHER = "its answers stand in the run's folder calls; --models.critic-model and --models.writer-model name others"


class _Unusable(Exception):
    """What is wrong with an answer, as the model is told; `cure` is what a person can do about it."""

    def __init__(self, complaint: str, cure: str = _ANOTHER):
        super().__init__(complaint)
        self.cure = cure


def ask_for(model: Model, request: ModelRequest, schema: type[T]) -> tuple[T, list[Mapping[str, Any]]]:
    """Return an answer of the form `schema`, with the records of every call that it took.

    Raises:
        ModelFault: "unusable" if no answer has the form after two complaints; else as `Model.ask` says.
    """
    request = dataclasses.replace(request, schema=schema)
    records: list[Mapping[str, Any]] = []
    complaint = cure = ""
    for _ in range(1 + COMPLAINTS):
        answer = model.ask(request)
        records.append(answer.record)
        try:
            return _parse(answer, schema), records
        except _Unusable as error:
            complaint, cure = str(error), error.cure
            request = dataclasses.replace(request, exchange=(*request.exchange, (answer.text, complaint)))
    raise ModelFault(
        f"{model.name} gave no usable answer to '{request.purpose}' in {1 + COMPLAINTS} attempts "
        f"(the last: {complaint[:200].rstrip('.')}): {cure}.",
        "unusable",
        str(records[-1].get("key", "")),
    )


def _parse(answer: Answer, schema: type[T]) -> T:
    text = without_thoughts(answer.text).strip()
    if text or not answer.complete:
        return _read(text, answer, schema)
    aloud = alone(answer.text) or answer.thoughts.strip()
    if not aloud:
        raise _Unusable("Your answer was empty. Answer with one JSON object of the form asked for.")
    try:
        return _read(aloud, answer, schema)
    except _Unusable:
        raise _Unusable(f"{THOUGHTS_ALONE} Answer with one JSON object of the form asked for.", THOUGHTS_CURE) from None


def _read(text: str, answer: Answer, schema: type[T]) -> T:
    fenced = _FENCED.findall(text)
    try:
        value = json.loads(fenced[0] if len(fenced) == 1 else text)
    except (ValueError, RecursionError) as error:
        if not answer.complete:
            raise _Unusable(
                "Your answer was cut off because it was too long. Answer again, in fewer words, with one JSON object.",
                raise_limit(answer.max_tokens),
            ) from None
        raise _Unusable(f"Your answer is not JSON ({error}). Answer with one JSON object and nothing else.") from None
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()[:5])
        raise _Unusable(f"Your answer does not have the form asked for: {wrong}. Answer again with one JSON object.") from None


def raise_limit(max_tokens: int) -> str:
    """Return what to do about an answer that was cut off, with the number that cut it."""
    return f"raise --models.max-tokens, {max_tokens} now (models.max_tokens in the config.yaml of a run that is to go on)"
