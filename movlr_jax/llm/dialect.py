"""What a server does not take of a request, learnt from its refusals: each thing once, for as long as the run lasts.

In: refusals (a Fault), and what earlier records say was learnt. Out: what a client leaves out, or says in another way. Servers of one
protocol differ in fields (`max_tokens` is `max_completion_tokens` for models that think; they keep their own temperature), in roles (some
models have no system role), in whether they hold an answer to a schema, and in whether they watch films. None of them tells beforehand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from movlr_jax.llm.base import ModelRequest, Video
from movlr_jax.llm.faults import Fault

T = TypeVar("T")

NO_VIDEO = "no video"
NO_SCHEMA = "no schema"
NO_SYSTEM = "no system role"
NO_SEED = "no seed"
NO_TEMPERATURE = "no temperature"
WARM = "no temperature of 0"
COMPLETION_TOKENS = "max_completion_tokens"
NO_LIMIT = "no longest answer"
# What stands for the most likely answer where a server wants a temperature above 0.
COLDEST = 0.01

# A template of a chat model raises an exception, which some servers tell as their own failure (500).
_REFUSALS = (400, 415, 422, 500, 501)
# Words that say that a field is not taken; a value out of range is another thing, and the caller's to mend.
_REFUSING = re.compile(
    r"unsupported|not support|n't support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|not accept|deprecated|"
    r"only the default|extra (?:input|field|param)|forbidden|not enabled|not available|unavailable|incompatible|cannot be (?:used|set)|"
    r"no such (?:field|param)|no attribute|cannot find field|not a valid (?:field|param)"
)
_OUT_OF_RANGE = re.compile(r"too (?:large|long|big)|maximum context|context length|at most \d|exceed")
_SYSTEM = re.compile(r"system role|role.{0,30}system|system.{0,20}(?:role|message|prompt|instruction)|developer instruction")
_ALTERNATE = re.compile(r"roles must alternate")


@dataclass(frozen=True)
class _Lesson:
    """One thing that a server may not take.

    Attributes:
        name: how it is recorded.
        sent: whether a request holds it, given what was learnt before.
        fields: what refusals call it.
        words: other refusals that mean it, and need name no field.
    """

    name: str
    sent: Callable[[ModelRequest, frozenset[str]], bool]
    fields: tuple[str, ...]
    words: Callable[[str], object] = lambda message: False


_LESSONS = (
    _Lesson(COMPLETION_TOKENS, lambda request, known: not known & {COMPLETION_TOKENS, NO_LIMIT}, ("max_tokens",)),
    _Lesson(NO_LIMIT, lambda request, known: True, ("max_tokens", "max_completion_tokens", "maxoutputtokens", "max_output_tokens")),
    _Lesson(
        WARM,
        lambda request, known: request.temperature == 0 and NO_TEMPERATURE not in known,
        (),
        re.compile(r"temperature.{0,40}(?:positive|greater than 0|> ?0)").search,
    ),
    _Lesson(NO_TEMPERATURE, lambda request, known: True, ("temperature",)),
    _Lesson(NO_SEED, lambda request, known: request.seed is not None, ("seed",)),
    _Lesson(
        NO_SYSTEM,
        lambda request, known: bool(request.system),
        ("systeminstruction", "system_instruction"),
        lambda message: (_SYSTEM.search(message) and _REFUSING.search(message)) or _ALTERNATE.search(message),
    ),
    _Lesson(
        NO_SCHEMA,
        lambda request, known: request.schema is not None,
        ("response_format", "responsejsonschema", "response_json_schema", "responsemimetype", "response_mime_type"),
        re.compile("response_format|json_schema|grammar|schema|json mode|structured output").search,
    ),
    _Lesson(
        NO_VIDEO,
        lambda request, known: any(isinstance(part, Video) for part in request.parts),
        ("media_io_kwargs",),
        re.compile("video|media_io_kwargs").search,
    ),
)


class Dialect:
    """What is known of one model of one server.

    Args:
        lessons: what the client can do without.
    """

    def __init__(self, lessons: Iterable[str]):
        self._lessons = [lesson for lesson in _LESSONS if lesson.name in set(lessons)]
        self._known: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        """Return whether something was learnt."""
        return name in self._known

    @property
    def learnt(self) -> tuple[str, ...]:
        """What was learnt, for the record of a call."""
        return tuple(sorted(self._known))

    def recall(self, learnt: Iterable[str]) -> None:
        """Take what an earlier process of the same run learnt."""
        self._known |= {lesson.name for lesson in self._lessons} & set(learnt)

    def speak(self, send: Callable[[], T], request: ModelRequest) -> T:
        """Return what `send` returns; after a refusal that says what the server does not take, it is called again without that.

        Raises:
            Fault: it cannot be answered, with nothing to learn from it.
        """
        before: Fault | None = None
        name = ""
        while True:
            try:
                return send()
            except Fault as fault:
                if before is not None and fault.message == before.message:
                    self._known -= {name}  # it was not that
                    raise
                lesson = self._lesson(fault, request)
                if lesson is None:
                    raise
                before, name = fault, lesson
                self._known |= {name}

    def _lesson(self, fault: Fault, request: ModelRequest) -> str | None:
        """Return what a refusal says that the server does not take; None: nothing that can be left out."""
        message = fault.message.lower()
        if fault.status not in _REFUSALS or not message:
            return None
        open_to_learn = [lesson for lesson in self._lessons if lesson.name not in self._known and lesson.sent(request, self._known)]
        if out_of_range(message):
            open_to_learn = [lesson for lesson in open_to_learn if lesson.name not in (COMPLETION_TOKENS, NO_LIMIT)]
        # The surest first: a field that the refusal names as such, one that its words name, what its words mean.
        warm = [lesson for lesson in open_to_learn if lesson.name == WARM and lesson.words(message)]
        named = [lesson for lesson in open_to_learn if _names(lesson, fault.fields)]
        if named or any(_names(lesson, fault.fields) for lesson in self._lessons):
            candidates = warm or named
        else:
            mentioned = [lesson for lesson in open_to_learn if _mentions(lesson, message)]
            candidates = warm or mentioned or [lesson for lesson in open_to_learn if lesson.words(message)]
        return candidates[0].name if candidates else None


def _names(lesson: _Lesson, fields: tuple[str, ...]) -> bool:
    return any(name == field or name.startswith(f"{field}.") for field in lesson.fields for name in fields)


def _mentions(lesson: _Lesson, message: str) -> bool:
    mentioned = any(re.search(rf"(?<![\w.]){field}(?!\w)", message) for field in lesson.fields)
    return mentioned and _REFUSING.search(message) is not None


def out_of_range(message: str) -> bool:
    """Return whether a refusal speaks of a number that is too large, and not of a field that is not taken."""
    return _OUT_OF_RANGE.search(message.lower()) is not None


def in_words(schema: dict[str, Any]) -> str:
    """Return what a model is told of a schema that its server does not hold it to."""
    return f"\n\nAnswer with one JSON object and nothing else. It has this JSON schema:\n{json.dumps(schema)}"
