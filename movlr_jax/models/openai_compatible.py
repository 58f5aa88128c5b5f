"""Any OpenAI-compatible server (vLLM, llama.cpp, `transformers serve`, a gateway), over openai.

Flows in: an Ask. Flows out: a Reply, or a Fault. Pictures and clips travel as data URLs. A schema is asked for with `response_format`,
which vLLM, llama.cpp and OpenAI share (vLLM's `guided_json` was removed in its version 0.12). Two things that servers differ in are
learnt from their refusals, once: whether they take a clip whole, and whether they take a schema; a clip then becomes frames, a schema
words.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

from movlr_jax.models import addresses, frames, requests
from movlr_jax.models.base import Ask, Image, Part, Text, Video
from movlr_jax.models.client import Reply
from movlr_jax.models.faults import Fault, Trouble, of_status
from movlr_jax.models.wire import fault_of, http_client

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
        self._whole_clips = video != "frames"
        self._may_split = video == "auto"
        self._takes_schema = True
        self._client = openai.OpenAI(
            base_url=url,
            api_key=key if key and known else _NO_KEY,
            timeout=timeout_s,
            max_retries=0,
            http_client=http_client(timeout_s, (url,), plain=not known),
        )

    def send(self, ask: Ask) -> Reply:
        """Ask once; what the server has never been seen to take may cost one refusal more."""
        while True:
            try:
                return self._send(ask)
            except Fault as fault:
                if not self._learn(fault, ask):
                    raise

    def models(self) -> list[str]:
        """Return the models that the server has."""
        listed = self._guarded(lambda: self._client.models.with_raw_response.list())
        return sorted(str(entry.get("id", "")) for entry in _list(listed.get("data")) if isinstance(entry, dict))

    def _learn(self, fault: Fault, ask: Ask) -> bool:
        """Note what a refusal says that this server does not take; return whether asking again makes sense."""
        said = fault.sentence.lower()
        if fault.status not in (400, 415, 422, 501):
            return False
        has_clip = any(isinstance(part, Video) for part in ask.parts)
        if has_clip and self._whole_clips and self._may_split and ("video" in said or "media_io_kwargs" in said):
            self._whole_clips = False
            return True
        if (
            ask.schema is not None
            and self._takes_schema
            and any(w in said for w in ("response_format", "json_schema", "grammar", "schema"))
        ):
            self._takes_schema = False
            return True
        return False

    def _send(self, ask: Ask) -> Reply:
        system = ask.system
        more: dict[str, Any] = {}
        if ask.schema is not None:
            schema = ask.schema.model_json_schema()
            if self._takes_schema:
                more["response_format"] = {"type": "json_schema", "json_schema": {"name": ask.schema.__name__, "schema": schema}}
            else:
                system += f"\n\nAnswer with one JSON object and nothing else. It has this JSON schema:\n{json.dumps(schema)}"
        if ask.seed is not None:
            more["seed"] = ask.seed % 2**63
        clip = next((part for part in ask.parts if isinstance(part, Video)), None)
        if clip is not None and self._whole_clips:
            # vLLM looks at 32 frames of a clip unless it is told a rate; -1 lifts that limit.
            more["extra_body"] = {"media_io_kwargs": {"video": {"fps": clip.frames_per_second, "num_frames": -1}}}
        messages: list[Any] = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": self._content(ask)})
        for answer, complaint in ask.exchange:
            messages += [{"role": "assistant", "content": answer or "(nothing)"}, {"role": "user", "content": complaint}]
        completions = self._client.chat.completions.with_raw_response
        return self._reply(
            self._guarded(
                lambda: completions.create(
                    model=self.name, messages=messages, temperature=ask.temperature, max_tokens=ask.max_tokens, **more
                )
            )
        )

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
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        return Reply(
            text=content if isinstance(content, str) else "",
            complete=choice.get("finish_reason") != "length",
            tokens_in=_count(usage.get("prompt_tokens")),
            tokens_out=_count(usage.get("completion_tokens")),
            answered_by=str(body.get("model") or ""),
        )

    # clips and pictures

    def _content(self, ask: Ask) -> Any:
        if all(isinstance(part, Text) for part in ask.parts):
            # Servers of models that only read take a plain string and nothing else.
            return "\n\n".join(part.text for part in ask.parts if isinstance(part, Text))
        return [entry for part in ask.parts for entry in self._entries(part)]

    def _entries(self, part: Part) -> list[dict[str, Any]]:
        if isinstance(part, Text):
            return [{"type": "text", "text": part.text}]
        if isinstance(part, Image):
            return [_picture(part.data)]
        if self._whole_clips:
            return [{"type": "video_url", "video_url": {"url": _data_url("video/mp4", requests.read_clip(part))}}]
        return [_picture(png) for png in frames.at_rate(part.path, part.frames_per_second)]

    def _guarded(self, call: Any) -> dict[str, Any]:
        """Return the JSON body of a call of the library; what it raises becomes a Fault."""
        import openai

        try:
            text = call().text
        except openai.APIStatusError as error:
            fault = of_status(self.where, error.status_code, _said(error.response.text), dict(error.response.headers))
            if self._withheld and fault.trouble is Trouble.KEY:
                said = f"{self.where} wants a key (HTTP {fault.status}), and yours was not sent, because only a file names that address: "
                raise Fault(Trouble.KEY, f"{said}if you trust it, add {addresses.FLAG} {self._url}.", fault.status) from None
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


def _said(text: str) -> str:
    """Return what an error's body says, without its envelope: OpenAI's {"error": {...}}, vLLM's older one, FastAPI's {"detail": ...}."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = body.get("error", body) if isinstance(body, dict) else body
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
