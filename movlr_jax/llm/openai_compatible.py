"""Any OpenAI-compatible server (vLLM, llama.cpp, `transformers serve`, a gateway), over openai.

Flows in: a ModelRequest. Flows out: a Reply, or a Fault. Pictures and clips travel as data URLs. A schema is asked for with
`response_format`, which vLLM, llama.cpp and OpenAI share (vLLM's `guided_json` was removed in its version 0.12). What servers differ in is
learnt from their refusals, each thing once (`dialect.py`): a clip then becomes frames, a schema words, the system's words go before the
first message, and fields that the server does not take are left out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Literal

from movlr_jax.llm import addresses, dialect, frames, requests
from movlr_jax.llm.base import Image, ModelRequest, Part, Text, Video
from movlr_jax.llm.client import Reply
from movlr_jax.llm.faults import Fault, Trouble, of_status
from movlr_jax.llm.transport import fault_of, http_client

_NO_KEY = "EMPTY"


class OpenAICompatible:
    """Speaks to one model of an OpenAI-compatible server.

    Args:
        name: the model.
        url: the server's base URL, ending in /v1 as a rule.
        key: its key, or None where it wants none.
        known: whether this user has named the address; to one that only a file names, neither the key nor anything else of the environment
            (OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS) is sent, and a refusal is told with that.
        timeout_s: longest time for one whole answer [s].
        video: how clips are shown; see `ModelsConfig.video`.
    """

    service = "openai"

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: str | None = None,
        known: bool = True,
        timeout_s: float = 180.0,
        video: Literal["auto", "video", "frames"] = "auto",
    ):
        import openai

        self.name = name
        self.where = f"The server {url}"
        self._url, self._withheld = url, key is not None and not known
        self._timeout_s = timeout_s
        self._video = video
        learns = (dialect.COMPLETION_TOKENS, dialect.NO_LIMIT, dialect.WARM, dialect.NO_TEMPERATURE, dialect.NO_SEED, dialect.NO_SYSTEM)
        self._dialect = dialect.Dialect((*learns, dialect.NO_SCHEMA, *((dialect.NO_VIDEO,) if video == "auto" else ())))
        self._client = openai.OpenAI(
            base_url=url,
            api_key=key if key and known else _NO_KEY,
            timeout=timeout_s,
            max_retries=0,
            http_client=http_client(timeout_s, (url,), plain=not known),
        )

    def send(self, request: ModelRequest) -> Reply:
        """Ask once; what the server has never been seen to take may cost one refusal more."""
        return self._dialect.speak(lambda: self._send(request), request)

    def recall(self, learnt: Iterable[str]) -> None:
        """Take what an earlier process of the same run learnt of this server."""
        self._dialect.recall(learnt)

    def models(self) -> list[str]:
        """Return the models that the server has."""
        listed = self._guarded(lambda: self._client.models.with_raw_response.list())
        return sorted(str(entry.get("id", "")) for entry in _list(listed.get("data")) if isinstance(entry, dict))

    def _send(self, request: ModelRequest) -> Reply:
        knows = self._dialect
        system = request.system
        more: dict[str, Any] = {}
        if request.schema is not None:
            schema = request.schema.model_json_schema()
            if dialect.NO_SCHEMA in knows:
                system += dialect.in_words(schema)
            else:
                more["response_format"] = {"type": "json_schema", "json_schema": {"name": request.schema.__name__, "schema": schema}}
        if request.seed is not None and dialect.NO_SEED not in knows:
            more["seed"] = request.seed % 2**63
        if dialect.NO_TEMPERATURE not in knows:
            more["temperature"] = max(request.temperature, dialect.COLDEST) if dialect.WARM in knows else request.temperature
        if dialect.NO_LIMIT not in knows:
            more["max_completion_tokens" if dialect.COMPLETION_TOKENS in knows else "max_tokens"] = request.max_tokens
        clip = next((part for part in request.parts if isinstance(part, Video)), None)
        if clip is not None and self._whole_clips:
            # vLLM looks at 32 frames of a clip unless it is told a rate; -1 lifts that limit.
            more["extra_body"] = {"media_io_kwargs": {"video": {"fps": clip.frames_per_second, "num_frames": -1}}}
        content, messages = self._content(request), list[Any]()
        if system and dialect.NO_SYSTEM in knows:
            content = f"{system}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": system}, *content]
        elif system:
            messages.append({"role": "system", "content": system})
        messages.append({"role": "user", "content": content})
        for answer, complaint in request.exchange:
            messages += [{"role": "assistant", "content": answer or "(nothing)"}, {"role": "user", "content": complaint}]
        completions = self._client.chat.completions.with_raw_response
        return self._reply(self._guarded(lambda: completions.create(model=self.name, messages=messages, **more)))

    @property
    def _whole_clips(self) -> bool:
        return self._video != "frames" and dialect.NO_VIDEO not in self._dialect

    def _reply(self, body: dict[str, Any]) -> Reply:
        choices = _list(body.get("choices"))
        choice = choices[0] if choices and isinstance(choices[0], dict) else None
        message = choice.get("message") if choice is not None else None
        if choice is None or not isinstance(message, dict):
            raise Fault(Trouble.GARBLED, f"{self.where} sent JSON that is no chat completion: does its address end in /v1?")
        if choice.get("finish_reason") == "content_filter" or message.get("refusal"):
            raise Fault(Trouble.BLOCKED, f"{self.where} blocked its answer (content filter).")
        usage = body.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        text, apart = _text(message.get("content"))
        if not text.strip():
            # vLLM, DeepSeek, Qwen and llama.cpp say reasoning_content; OpenRouter, Ollama and newer vLLM say reasoning.
            fields = (message.get(name) for name in ("reasoning_content", "reasoning"))
            apart = next((thought for thought in fields if isinstance(thought, str) and thought.strip()), apart)
        return Reply(
            text=text,
            complete=choice.get("finish_reason") != "length",
            tokens_in=_count(usage.get("prompt_tokens")),
            tokens_out=_count(usage.get("completion_tokens")),
            answered_by=str(body.get("model") or ""),
            thoughts="" if text.strip() else apart,
            learnt=self._dialect.learnt,
        )

    # clips and pictures

    def _content(self, request: ModelRequest) -> Any:
        if all(isinstance(part, Text) for part in request.parts):
            # Servers of models that only read take a plain string and nothing else.
            return "\n\n".join(part.text for part in request.parts if isinstance(part, Text))
        return [entry for part in request.parts for entry in self._entries(part)]

    def _entries(self, part: Part) -> list[dict[str, Any]]:
        if isinstance(part, Text):
            return [{"type": "text", "text": part.text}]
        if isinstance(part, Image):
            return [_picture(part.data)]
        if self._whole_clips:
            return [{"type": "video_url", "video_url": {"url": _data_url("video/mp4", requests.read_clip(part))}}]
        pictures = frames.at(part.path, part.moments) if part.moments else frames.at_rate(part.path, part.frames_per_second)
        return [_picture(png) for png in pictures]

    def _guarded(self, call: Any) -> dict[str, Any]:
        """Return the JSON body of a call of the library; what it raises becomes a Fault."""
        import openai

        try:
            text = call().text
        except openai.APIStatusError as error:
            response = error.response.text
            fault = of_status(self.where, error.status_code, _error_message(response), dict(error.response.headers), body=response)
            if self._withheld and fault.trouble is Trouble.KEY:
                raise Fault(
                    Trouble.KEY,
                    f"{self.where} wants a key (HTTP {fault.status}), and yours was not sent, because only a file names that address: "
                    f"if you trust it, add {addresses.FLAG} {self._url}.",
                    fault.status,
                ) from None
            raise fault from None
        except Exception as error:
            known = fault_of(error, self.where, self._timeout_s)
            if known is None:
                raise
            raise known from None
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Fault(Trouble.GARBLED, f"{self.where} sent what is not a JSON object: does its address end in /v1?")
        return body


def _text(content: Any) -> tuple[str, str]:
    """Return the words of a message's content, and what stands in it as thought aloud."""
    if isinstance(content, str):
        return content, ""
    words, thought = "", ""
    for part in _list(content):
        if not isinstance(part, dict):
            continue
        if part.get("type") in (None, "text", "output_text"):
            words += str(part.get("text") or "")
        else:  # Mistral's parts of the type "thinking" hold parts themselves
            inner = part.get("thinking") or part.get("reasoning") or part.get("text")
            thought += inner if isinstance(inner, str) else _text(inner)[0]
    return words, thought


def _error_message(text: str) -> str:
    """Return what an error's body says, without its envelope: OpenAI's {"error": {...}}, vLLM's older one, FastAPI's {"detail": ...}."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text
    body = body[0] if isinstance(body, list) and len(body) == 1 else body  # Google's
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(body, dict) and "error" not in body and _list(body.get("choices")):
        inner = next((choice["error"] for choice in body["choices"] if isinstance(choice, dict) and choice.get("error")), inner)
    if not isinstance(inner, dict):
        return str(inner)
    words = [str(inner[name]) for name in ("message", "detail", "code") if isinstance(inner.get(name), str)]
    return " ".join(words) or text


def _picture(png: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": _data_url("image/png", png)}}


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
