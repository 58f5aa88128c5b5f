"""What stands in the JSON files of a run's folder and of a sweep's, field by field; and the one way to read one of them.

Flows in: the path of such a file. Flows out: its value, in the shape that its name promises, or one sentence. A folder may be damaged,
written by an older version (fields that it did not have yet are not required), or come from someone else: what reads on never meets a text
where a number belongs.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NotRequired

import pydantic
from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from movlr_jax import atomic
from movlr_jax.critics.critique import Critique
from movlr_jax.errors import BadFile
from movlr_jax.facts import Facts
from movlr_jax.llm.record import Call
from movlr_jax.runs.iteration_record import IterationRecord, Tuned
from movlr_jax.typed_record import Count, Number

Weights = dict[str, Number]
Measured = dict[str, bool | Number | None]

_OPEN = ConfigDict(extra="allow", strict=True)


@with_config(_OPEN)
class Choice(TypedDict):
    """choice.json: the candidate that goes on, None where every draft was refused, and why."""

    candidate: Count | None
    reason: str


@with_config(_OPEN)
class Decision(TypedDict):
    """decision.json: whether the chosen candidate is the new best, by what, and against which iteration."""

    kept: bool
    by: str
    reason: str
    against: Count | None
    confidence: NotRequired[Number | None]
    seeds: NotRequired[list[int]]


@with_config(_OPEN)
class Elimination(TypedDict):
    """A program that was eliminated at a rung of the race, by what, against whom ("best" or "leader") and why."""

    candidate: Count
    by: str
    against: str
    reason: str


@with_config(_OPEN)
class RaceRecord(TypedDict):
    """race/NN.json: what candidates had run at a rung (`part`: the seconds of it, null where episodes were whole), and who went out."""

    rung: Count
    ran: str
    seeds: list[int]
    part: Number | None
    best: Count
    best_score: Number
    scores: dict[str, Number]
    eliminated: list[Elimination]


@with_config(_OPEN)
class Pairing(TypedDict):
    """pairs/NN.json: each seed's score of the chosen candidate and of the best, and whether further seeds could change who is better.

    simulated_s is the motion that was executed for it.
    """

    seeds: list[int]
    scores: list[Number]
    best_scores: list[Number]
    near: bool
    simulated_s: Number


@with_config(_OPEN)
class DraftRecord(TypedDict):
    """drafts/NN.json: a text as it was written, and the iteration whose program it was made from."""

    name: str
    edit: str
    rationale: str
    given_up: str
    source: str
    refusal: NotRequired[str]
    builds_on: NotRequired[Count | None]


@with_config(_OPEN)
class VerdictRecord(TypedDict):
    """verdict.json, and why a text was refused; a text of this package has fewer fields."""

    sentence: NotRequired[str]
    line: NotRequired[Count | None]
    trusted: NotRequired[bool]
    warnings: NotRequired[list[str]]


@with_config(_OPEN)
class MetricsRecord(TypedDict):
    """metrics.json: each seed's record, mean and spread, falls, gates and the score; at a rung of the race also each episode's."""

    episodes: Annotated[list[Measured], Field(min_length=1)]
    mean: Measured
    std: Measured
    falls: Count
    gates: dict[str, bool]
    score: Number
    scores: NotRequired[list[Number]]


@with_config(_OPEN)
class TrialRecord(MetricsRecord):
    """tune/NN/trial.json: one set of weights and parameters that was tried."""

    trial: Count
    weights: Weights
    parameters: NotRequired[Weights]
    simulated_s: Number


@with_config(_OPEN)
class Outcome(TypedDict):
    """An iteration as a sweep's table reads it."""

    iteration: Count
    score: Number | None
    kept: bool
    metrics: Measured
    seconds: Weights


@with_config(_OPEN)
class Summary(TypedDict):
    """summary.json: the run so far, as a sweep reads it."""

    iterations: list[Outcome]
    best: Count | None
    stopped: str
    calls: NotRequired[dict[str, dict[str, Number]]]


@with_config(_OPEN)
class PlannedTrial(TypedDict):
    """One trial of a sweep's plan."""

    number: Count
    values: dict[str, Any]


@with_config(_OPEN)
class SweepPlan(TypedDict):
    """plan.json: what a sweep is made of."""

    name: Annotated[str, Field(pattern=r"^[^/\\.\x00-\x1f][^/\x00-\x1f]*$")]
    base: dict[str, Any]
    paths: list[str]
    threads: Count
    trials: list[PlannedTrial]


@with_config(_OPEN)
class Header(TypedDict):
    """run.json: what the run as a whole is."""

    run_id: NotRequired[str]
    task: NotRequired[str]
    task_sha256: NotRequired[str]
    morphology: NotRequired[str]
    engine: NotRequired[str]


@with_config(_OPEN)
class NoClip(TypedDict):
    """no_clip.json: why there is no clip."""

    sentence: str


@with_config(_OPEN)
class Tracked(TypedDict):
    """tracked.json: who was told of the iteration."""

    by: list[str]


class Judgement(Critique):
    """critique.json: a judgement, with what a person said of the motion; where nobody judges, a sentence that says so."""

    success: bool = False
    advice: str = ""
    unjudged: str = ""


# Name of a file, or of the folder that it stands in -> what is in it.
_SCHEMAS: dict[str, Any] = {
    "run.json": Header,
    "summary.json": Summary,
    "plan.json": SweepPlan,
    "iteration.json": IterationRecord,
    "choice.json": Choice,
    "decision.json": Decision,
    "seconds.json": Weights,
    "tracked.json": Tracked,
    "facts.json": Facts,
    "metrics.json": MetricsRecord,
    "critique.json": Judgement,
    "unadvised.json": Judgement,
    "weights.json": Weights,
    "verdict.json": VerdictRecord,
    "tuned.json": Tuned,
    "no_clip.json": NoClip,
    "trial.json": TrialRecord,
    "refusal.json": VerdictRecord,
    "race/": RaceRecord,
    "pairs/": Pairing,
    "drafts/": DraftRecord,
    "refusals/": VerdictRecord,
    "calls/": list[Call],
}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_SCHEMAS[name])


def read(path: Path) -> Any:
    """Return the value of one of a run's JSON files.

    Raises:
        BadFile: it is not what a run writes there; the sentence says where it differs.
        OSError: it cannot be opened.
    """
    value = atomic.read_json(path)
    name = f"{path.parent.name}/" if f"{path.parent.name}/" in _SCHEMAS else path.name
    try:
        _adapter(name).validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        what = f"{where}: {first['msg'][:1].lower()}{first['msg'][1:160]}"
        raise BadFile(f"{path} is not what a run writes there ({what}): restore the file, or start the run again.") from None
    return value
