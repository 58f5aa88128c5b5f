"""Asking for an answer of a given form: what cannot be used is complained of, and asked for again.

Flows in: a Model, an Ask, a pydantic class. Flows out: an instance of it, and the records of the calls made for it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from movlr_jax.models.base import Answer, Ask, Model, ModelFault
from movlr_jax.models.thoughts import without_thoughts

T = TypeVar("T", bound=BaseModel)

# Times that a model is told what is wrong with its answer; a model that fails three times goes on failing.
COMPLAINTS = 2
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL | re.IGNORECASE)


class _Unusable(Exception):
    """What is wrong with an answer, as the model is told."""


def ask_for(model: Model, ask: Ask, schema: type[T]) -> tuple[T, list[Mapping[str, Any]]]:
    """Return an answer of the form `schema`, with the records of every call that it took.

    Raises:
        ModelFault: "unusable" if no answer has the form after two complaints; else as `Model.ask` says.
    """
    ask = dataclasses.replace(ask, schema=schema)
    records: list[Mapping[str, Any]] = []
    complaint = ""
    for _ in range(1 + COMPLAINTS):
        answer = model.ask(ask)
        records.append(answer.record)
        try:
            return _parse(answer, schema), records
        except _Unusable as error:
            complaint = str(error)
            ask = dataclasses.replace(ask, exchange=(*ask.exchange, (answer.text, complaint)))
    raise ModelFault(
        f"{model.name} gave no usable answer to '{ask.purpose}' in {1 + COMPLAINTS} attempts (the last: {complaint[:200].rstrip('.')}): "
        "use a stronger model.",
        "unusable",
        str(records[-1].get("key", "")),
    )


def _parse(answer: Answer, schema: type[T]) -> T:
    text = without_thoughts(answer.text).strip()
    if not text and answer.complete:
        raise _Unusable("Your answer was empty. Answer with one JSON object of the form asked for.")
    fenced = _FENCED.findall(text)
    try:
        value = json.loads(fenced[0] if len(fenced) == 1 else text)
    except (ValueError, RecursionError) as error:
        if not answer.complete:
            raise _Unusable(
                "Your answer was cut off because it was too long. Answer again, in fewer words, with one JSON object."
            ) from None
        raise _Unusable(f"Your answer is not JSON ({error}). Answer with one JSON object and nothing else.") from None
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()[:5])
        raise _Unusable(f"Your answer does not have the form asked for: {wrong}. Answer again with one JSON object.") from None
