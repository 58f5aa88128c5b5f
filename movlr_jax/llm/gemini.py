"""Gemini, over google-genai: clips inline or through the Files API, answers held to a schema.

Flows in: a ModelRequest. Flows out: a Reply, or a Fault. A clip's frame rate stands on its part, because the service looks at one frame a
second where none is given, which misses a gait cycle. What is too large to be sent along is uploaded once, found again by its content,
and uploaded anew when the service has dropped it (after two days).
"""

from __future__ import annotations

import datetime
import hashlib
import io
import itertools
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from movlr_jax.llm import addresses, dialect, requests
from movlr_jax.llm.base import Image, ModelRequest, Text, Video
from movlr_jax.llm.client import Reply
from movlr_jax.llm.faults import Fault, Trouble, brief, of_status
from movlr_jax.llm.transport import fault_of, http_client

# The service's limit for a whole request is 20 MB; a fifth is left for base64's padding, the words and the envelope [base64 bytes].
INLINE_LIMIT = 16_000_000
# Thoughts count against the longest answer; an answer must not end before it begins because of them [tokens].
_THOUGHTS = 16_384
_POLL_S = 2.0
_MOST_MODELS = 1000  # names that are read of a list
# An upload that expires sooner than this is made anew [s].
_SPARE_S = 300.0

_BLOCKED = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
}
_CUT = {"MAX_TOKENS", "CONTINUATION"}
# What the reference of `responseJsonSchema` lists, beside those that hold schemas themselves.
_KEYWORDS = {
    "$id",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "required",
}


class Gemini:
    """Speaks to one Gemini model.

    Args:
        name: the model.
        key: the API key; it goes into a header and nowhere else.
        url: another endpoint than Google's own.
        timeout_s: longest time for one whole answer, and for a clip to be uploaded and processed [s].
        inline_limit: clips beyond this many base64 bytes in one request are uploaded.
        sleep: waits so many seconds between looks at an upload.
        clock: monotonic seconds.
    """

    service = "gemini"

    def __init__(
        self,
        name: str,
        key: str,
        *,
        url: str = "",
        timeout_s: float = 180.0,
        inline_limit: int = INLINE_LIMIT,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ):
        from google import genai
        from google.genai import types

        self.name = name
        self.where = f"Gemini at {url}" if url else "Gemini"
        self._timeout_s, self._inline_limit, self._sleep, self._clock = timeout_s, inline_limit, sleep, clock
        self._uploads: dict[str, Any] = {}
        learns = (dialect.NO_LIMIT, dialect.NO_TEMPERATURE, dialect.NO_SEED, dialect.NO_SYSTEM, dialect.NO_SCHEMA)
        self._dialect = dialect.Dialect(learns)
        # An upload goes where the service says: to Google, or to the address that was given.
        self._http = http_client(timeout_s, (url or addresses.default("gemini"), addresses.GOOGLE_URL))
        self._client = genai.Client(
            api_key=key,
            vertexai=False,
            # Times and sizes are limited below; retries are the gateway's (without retry_options the library makes none).
            http_options=types.HttpOptions(
                base_url=url or None,
                # The library's default became v1 with its version 3.0; preview models and the `-latest` names exist in v1beta alone.
                api_version="v1beta",
                timeout=int(1000 * timeout_s),
                httpx_client=self._http,
            ),
        )

    def send(self, request: ModelRequest) -> Reply:
        """Ask once; an upload that the service has dropped meanwhile is made again, and what it does not take is left out."""
        try:
            return self._dialect.speak(lambda: self._send(request), request)
        except Fault as fault:
            if not (fault.status in (400, 403, 404) and self._uploads and "file" in fault.sentence.lower()):
                raise
            self._uploads.clear()
            return self._dialect.speak(lambda: self._send(request), request)

    def recall(self, learnt: Iterable[str]) -> None:
        """Take what an earlier process of the same run learnt of this model."""
        self._dialect.recall(learnt)

    def models(self) -> list[str]:
        """Return the models that can be asked."""
        # A list comes in pages, each of which names the next.
        with self._http.within(self._timeout_s):
            models = self._guarded(lambda: list(itertools.islice(self._client.models.list(), _MOST_MODELS)))
        return sorted((model.name or "").removeprefix("models/") for model in models)

    def _send(self, request: ModelRequest) -> Reply:
        from google.genai import types

        knows, system = self._dialect, request.system
        if request.schema is not None and dialect.NO_SCHEMA in knows:
            system += dialect.in_words(request.schema.model_json_schema())
        # Gemma's models, on the same service, have no system role and are held to no schema.
        first = [types.Part(text=system)] if system and dialect.NO_SYSTEM in knows else []
        contents = [types.Content(role="user", parts=[*first, *self._parts(request)])]
        for answer, complaint in request.exchange:
            # The service takes no empty part.
            contents.append(types.Content(role="model", parts=[types.Part(text=answer or "(nothing)")]))
            contents.append(types.Content(role="user", parts=[types.Part(text=complaint)]))
        config = types.GenerateContentConfig(
            system_instruction=None if first else system or None,
            temperature=None if dialect.NO_TEMPERATURE in knows else request.temperature,
            max_output_tokens=None if dialect.NO_LIMIT in knows else request.max_tokens + _THOUGHTS,
            seed=None if request.seed is None or dialect.NO_SEED in knows else request.seed % 2**31,  # an int32 there
        )
        if request.schema is not None and dialect.NO_SCHEMA not in knows:
            config.response_mime_type = "application/json"
            config.response_json_schema = _supported(request.schema.model_json_schema())
        response = self._guarded(lambda: self._client.models.generate_content(model=self.name, contents=contents, config=config))
        return self._reply(response)

    def _reply(self, response: Any) -> Reply:
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise Fault(Trouble.BLOCKED, f"{self.where} blocked the request ({_name(feedback.block_reason)}).")
        candidate = response.candidates[0] if response.candidates else None
        if candidate is None or (candidate.finish_reason is None and candidate.content is None):
            raise Fault(Trouble.GARBLED, f"{self.where} sent no candidate.")
        reason = _name(candidate.finish_reason) if candidate.finish_reason is not None else ""
        if reason in _BLOCKED:
            raise Fault(Trouble.BLOCKED, f"{self.where} blocked its answer ({reason}).")
        parts = (candidate.content.parts if candidate.content else None) or []
        usage = response.usage_metadata
        text = "".join(part.text for part in parts if part.text and not part.thought)
        return Reply(
            text=text,
            complete=reason not in _CUT,
            tokens_in=None if usage is None else usage.prompt_token_count,
            # Thoughts are billed as output.
            tokens_out=None if usage is None else (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            answered_by=response.model_version or "",
            thoughts="" if text.strip() else "".join(part.text for part in parts if part.text and part.thought),
            learnt=self._dialect.learnt,
        )

    # clips and pictures

    def _parts(self, request: ModelRequest) -> list[Any]:
        from google.genai import types

        clips = [requests.read_clip(part) if isinstance(part, Video) else b"" for part in request.parts]
        pictures = sum(len(part.data) for part in request.parts if isinstance(part, Image))
        inline = 4 * (sum(map(len, clips)) + pictures) // 3 <= self._inline_limit
        parts: list[Any] = []
        for part, clip in zip(request.parts, clips, strict=True):
            if isinstance(part, Text):
                parts.append(types.Part(text=part.text))
            elif isinstance(part, Image):
                parts.append(types.Part(inline_data=types.Blob(data=part.data, mime_type="image/png")))
            else:
                seen = types.VideoMetadata(fps=part.frames_per_second)
                if inline:
                    parts.append(types.Part(inline_data=types.Blob(data=clip, mime_type="video/mp4"), video_metadata=seen))
                else:
                    file = types.FileData(file_uri=self._upload(clip).uri, mime_type="video/mp4")
                    parts.append(types.Part(file_data=file, video_metadata=seen))
        return parts

    def _upload(self, clip: bytes) -> Any:
        """Return the uploaded file with this content, ready to be looked at."""
        from google.genai import types

        content = hashlib.sha256(clip).hexdigest()
        file = self._uploads.get(content)
        if file is not None and not _expires(file):
            return file
        config = types.UploadFileConfig(mime_type="video/mp4", display_name=content[:16])
        began, late = self._clock(), f"{self.where} has not processed a clip of {len(clip) / 1e6:.1f} MB in {self._timeout_s:g} s."
        with self._http.within(self._timeout_s):
            file = self._guarded(lambda: self._client.files.upload(file=io.BytesIO(clip), config=config))
            while (state := _name(file.state) if file.state is not None else "") == "PROCESSING":
                if self._clock() - began > self._timeout_s:
                    raise Fault(Trouble.TIMEOUT, late)
                self._sleep(_POLL_S)
                name = file.name
                file = self._guarded(lambda name=name: self._client.files.get(name=name))  # type: ignore[misc]
        if state != "ACTIVE":
            why = brief(str(file.error.message or "")) if file.error is not None else "no reason given"
            raise Fault(Trouble.CLIP, f"{self.where} cannot process the clip ({state or 'no state'}: {why}): film it again.")
        self._uploads[content] = file
        return file

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Return what a call of the library returns; what it raises becomes a Fault."""
        from google.genai import errors

        try:
            return call()
        except (errors.UnknownApiResponseError, json.JSONDecodeError):
            raise Fault(Trouble.GARBLED, f"{self.where} sent what is not JSON: is the address that of a Gemini service?") from None
        except errors.APIError as error:
            headers = dict(getattr(error.response, "headers", None) or {})
            message = f"{error.message or ''} {_hints(error.details)}".strip()
            whole = json.dumps(error.details) if isinstance(error.details, dict) else ""
            raise of_status(self.where, error.code or 0, message, headers, body=whole) from None
        except Exception as error:
            fault = fault_of(error, self.where, self._timeout_s)
            if fault is None and isinstance(error, ValueError | KeyError | TypeError | AttributeError):
                fault = Fault(Trouble.GARBLED, f"{self.where} sent what google-genai cannot read ({type(error).__name__}).")
            if fault is None:
                raise
            raise fault from None


def _supported(schema: Any) -> Any:
    """Return a JSON schema without the keywords that the service does not name among those it supports."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            kept[keyword] = {name: _supported(inner) for name, inner in value.items()}
        elif keyword in ("anyOf", "oneOf", "prefixItems"):
            kept[keyword] = [_supported(inner) for inner in value]
        elif keyword in ("items", "additionalProperties"):
            kept[keyword] = _supported(value)
        elif keyword in _KEYWORDS:
            kept[keyword] = value
    return kept


def _name(value: Any) -> str:
    """Return the name of an enumeration's value, also of one that the library does not know."""
    return str(getattr(value, "value", value))


def _hints(details: Any) -> str:
    """Return the wait that an error asks for in its details, in Google's own words."""
    body = details.get("error", details) if isinstance(details, dict) else {}
    for entry in body.get("details") or []:
        if isinstance(entry, dict) and "retryDelay" in entry:
            return f"(retryDelay: '{entry['retryDelay']}')"
    return ""


def _expires(file: Any) -> bool:
    when = file.expiration_time
    return when is not None and when < datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=_SPARE_S)
