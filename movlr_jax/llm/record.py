"""What stands in the record of a model call, field by field: in `RUN/calls/KEY.json`, and where an iteration keeps its calls."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

_OPEN = ConfigDict(extra="allow", strict=True)
_Count = Annotated[int, Field(ge=0, le=2**53)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@with_config(_OPEN)
class Media(TypedDict):
    """A picture or a clip, which stands in a request as what identifies it."""

    sha256: str
    bytes: _Count
    frames_per_second: NotRequired[_Amount]
    moments: NotRequired[list[_Amount]]


@with_config(ConfigDict(extra="forbid", strict=True))
class Part(TypedDict, total=False):
    """One part of a request."""

    text: str
    image: Media
    video: Media


@with_config(_OPEN)
class Turn(TypedDict):
    """An earlier answer, and what was said of it."""

    answer: str
    complaint: str


@with_config(_OPEN)
class Request(TypedDict):
    """What was sent."""

    model: NotRequired[str]
    system: str
    parts: list[Annotated[Part, Field(min_length=1, max_length=1)]]
    schema: dict[str, Any] | None
    exchange: list[Turn]
    temperature: Annotated[float, Field(allow_inf_nan=False)]


@with_config(_OPEN)
class Fault(TypedDict):
    """Why there is no answer."""

    kind: str
    sentence: str


@with_config(_OPEN)
class Call(TypedDict):
    """A call as an iteration keeps it."""

    purpose: str
    prompt: str
    model: NotRequired[str]
    request: Request
    response: str | None
    thoughts: NotRequired[str]
    learnt: NotRequired[list[str]]
    fault: Fault | None


@with_config(_OPEN)
class Record(Call):
    """A call as `RUN/calls/KEY.json` keeps it."""

    key: str
    source: str
    complete: bool
    tokens: dict[str, _Count | None]
    usd: _Amount | None
    seconds: _Amount
