"""A server that speaks the OpenAI protocol as vLLM does: /v1/chat/completions and /v1/models. What neither knows is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from support.loopback import Loopback, Seen, Sent, as_json

# The fields of a chat completion that OpenAI's reference names, and vLLM's own.
FIELDS = {"model", "messages", "temperature", "max_tokens", "response_format", "seed", "media_io_kwargs"}


class OpenAIServer(Loopback):
    """Answers every completion with `reply(body)`; `takes_video` and `takes_schema` say what it refuses."""

    def __init__(self, reply: Callable[[dict[str, Any]], str] | str = "{}", models: tuple[str, ...] = ("tiny",), key: str = ""):
        super().__init__()
        self.reply = reply if callable(reply) else lambda body: reply
        self.models, self.key = models, key
        self.takes_video = self.takes_schema = True

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the completions that were asked for."""
        return [seen.json() for seen in self.seen if seen.method == "POST"]

    def answer(self, seen: Seen) -> Sent:
        if self.key and seen.headers.get("authorization") != f"Bearer {self.key}":
            return refusal(401, f"Incorrect API key provided: {seen.headers.get('authorization')}.")
        if seen.path == "/v1/models":
            return as_json({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        if seen.path != "/v1/chat/completions":
            return refusal(404, f"There is nothing at {seen.path}.")
        scripted = self.scripted(seen)
        if scripted is not None:
            return scripted
        body = seen.json()
        wrong = self._wrong(body)
        return refusal(*wrong) if wrong else completion(self.reply(body), model=body["model"])

    def _wrong(self, body: dict[str, Any]) -> tuple[int, str] | None:
        if unknown := set(body) - FIELDS:
            return 400, f"Extra inputs are not permitted: {sorted(unknown)}"
        if body["model"] not in self.models:
            return 404, f"The model `{body['model']}` does not exist."
        roles = [message["role"] for message in body["messages"]]
        turns = roles[1:] if roles[0] == "system" else roles
        if turns != ["user" if i % 2 == 0 else "assistant" for i in range(len(turns))] or len(turns) % 2 == 0:
            return 400, f"Conversation roles must alternate user/assistant: {roles}"
        for message in body["messages"]:
            content = message["content"]
            for part in content if isinstance(content, list) else []:
                if part["type"] == "video_url" and not self.takes_video:
                    return 400, "At most 0 video(s) may be provided in one prompt."
                if part["type"] != "text":
                    kind, data = part[part["type"]]["url"].removeprefix("data:").split(";base64,")
                    if kind != {"video_url": "video/mp4", "image_url": "image/png"}[part["type"]]:
                        return 400, f"Wrong media type {kind}"
                    base64.b64decode(data, validate=True)
        wanted = body.get("response_format")
        if wanted is not None:
            if not self.takes_schema:
                return 400, "response_format of type json_schema is not supported"
            if wanted["type"] != "json_schema" or not {"name", "schema"} <= set(wanted["json_schema"]):
                return 400, "response_format needs json_schema with name and schema"
        return None


def completion(text: str | None, *, finish: str = "stop", model: str = "tiny", usage: tuple[int, int] = (120, 30)) -> Sent:
    message = {"role": "assistant", "content": text}
    return as_json(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
        }
    )


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Sent:
    return as_json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, status, **headers)


def words(body: dict[str, Any]) -> str:
    """Return all texts of a completion's messages."""
    return json.dumps([message["content"] for message in body["messages"]])
