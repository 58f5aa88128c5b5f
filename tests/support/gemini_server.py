"""A server that speaks Gemini's REST surface: generateContent, models, the resumable upload, the states of a file. Requests are held to the
fields that the service documents (v1beta); what it does not know is refused as the service refuses it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from support.loopback import Loopback, Seen, Sent, as_json

BODY = {"contents", "systemInstruction", "generationConfig"}
GENERATION = {"temperature", "maxOutputTokens", "seed", "responseMimeType", "responseJsonSchema"}
SCHEMA = {"$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems"} | {
    "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering"
}  # fmt: skip
PART = {"text", "inlineData", "fileData", "videoMetadata"}


class GeminiServer(Loopback):
    """Answers every request with `reply(body)`. An upload is PROCESSING for `looks` looks, then `final_state`."""

    def __init__(
        self, reply: Callable[[dict[str, Any]], str] | str = "{}", models: tuple[str, ...] = ("gemini-test",), key: str = "a-test-key"
    ):
        super().__init__()
        self.reply = reply if callable(reply) else lambda body: reply
        self.models, self.key = models, key
        self.looks, self.final_state, self.lifetime_s = 2, "ACTIVE", 48 * 3600.0
        self.files: dict[str, dict[str, Any]] = {}
        self.uploads = 0

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the contents that were asked for."""
        return [seen.json() for seen in self.seen if seen.path.endswith(":generateContent")]

    def answer(self, seen: Seen) -> Sent:
        if seen.headers.get("x-goog-api-key") != self.key and "upload_id" not in seen.path:
            return refusal(
                400, f"API key not valid: {seen.headers.get('x-goog-api-key')}. Please pass a valid API key.", "INVALID_ARGUMENT"
            )
        path = seen.path.split("?")[0]
        if path == "/v1beta/models":
            return as_json({"models": [{"name": f"models/{name}"} for name in self.models]})
        if path == "/upload/v1beta/files":
            return self._upload(seen)
        if path.startswith("/v1beta/files/"):
            return self._look(path.removeprefix("/v1beta/"))
        if not path.startswith("/v1beta/models/") or not path.endswith(":generateContent"):
            return refusal(404, f"There is nothing at {path}.", "NOT_FOUND")
        name = path.removeprefix("/v1beta/models/").removesuffix(":generateContent")
        if name not in self.models:
            return refusal(404, f"models/{name} is not found for API version v1beta.", "NOT_FOUND")
        scripted = self.scripted(seen)
        if scripted is not None:
            return scripted
        body = seen.json()
        wrong = self._wrong(body)
        return wrong or content(self.reply(body), model=name)

    def _wrong(self, body: dict[str, Any]) -> Sent | None:
        def unknown(value: dict[str, Any], known: set[str]) -> Sent | None:
            more = set(value) - known
            return refusal(400, f"Invalid JSON payload received. Unknown name {sorted(more)}", "INVALID_ARGUMENT") if more else None

        wrong = unknown(body, BODY) or unknown(body.get("generationConfig", {}), GENERATION)
        roles = [turn["role"] for turn in body["contents"]]
        if roles != ["user" if i % 2 == 0 else "model" for i in range(len(roles))]:
            wrong = wrong or refusal(400, f"Please ensure that roles alternate: {roles}", "INVALID_ARGUMENT")
        for schema in _schemas(body.get("generationConfig", {}).get("responseJsonSchema", {})):
            wrong = wrong or unknown(schema, SCHEMA)
        for part in (part for turn in body["contents"] for part in turn["parts"]):
            wrong = wrong or unknown(part, PART)
            if "text" in part and not part["text"]:
                wrong = wrong or refusal(400, "A part is empty.", "INVALID_ARGUMENT")
            if "inlineData" in part:
                given = _either(part["inlineData"])
                base64.b64decode(given["data"].translate(str.maketrans("-_", "+/")), validate=True)
                if given["mimeType"] not in ("video/mp4", "image/png"):
                    wrong = wrong or refusal(400, f"Unsupported MIME type: {given['mimeType']}", "INVALID_ARGUMENT")
            if "fileData" in part:
                name = "files/" + _either(part["fileData"])["fileUri"].rsplit("/", 1)[1]
                if self.files.get(name, {}).get("state") != "ACTIVE":
                    message = f"You do not have permission to access the File {name} or it may not exist."
                    wrong = wrong or refusal(403, message, "PERMISSION_DENIED")
        return wrong

    def _upload(self, seen: Seen) -> Sent:
        command = seen.headers["x-goog-upload-command"]
        if command == "start":
            assert seen.headers["x-goog-upload-protocol"] == "resumable"
            assert seen.headers["x-goog-upload-header-content-type"] == "video/mp4"
            self.expected = int(seen.headers["x-goog-upload-header-content-length"])
            self.arrived = b""
            return as_json({}, **{"X-Goog-Upload-URL": f"{self.address}/upload/v1beta/files?upload_id=1", "X-Goog-Upload-Status": "active"})
        assert int(seen.headers["x-goog-upload-offset"]) == len(self.arrived)
        self.arrived += seen.body
        if "finalize" not in command:
            return as_json({}, **{"X-Goog-Upload-Status": "active"})
        assert len(self.arrived) == self.expected
        self.uploads += 1
        name = f"files/f{self.uploads}"
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.lifetime_s)
        self.files[name] = {
            "name": name,
            "uri": f"{self.address}/v1beta/{name}",
            "mimeType": "video/mp4",
            "sizeBytes": str(len(self.arrived)),
            "sha256Hash": base64.b64encode(hashlib.sha256(self.arrived).digest()).decode(),
            "expirationTime": expires.isoformat().replace("+00:00", "Z"),
            "state": "PROCESSING",
            "looks": self.looks,
        }
        return as_json({"file": self._shown(name)}, **{"X-Goog-Upload-Status": "final"})

    def _look(self, name: str) -> Sent:
        if name not in self.files:
            return refusal(403, f"You do not have permission to access the File {name} or it may not exist.", "PERMISSION_DENIED")
        file = self.files[name]
        file["looks"] -= 1
        if file["looks"] <= 0:
            file["state"] = self.final_state
        return as_json(self._shown(name))

    def _shown(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self.files[name].items() if key != "looks"}


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Return a JSON schema and all those within it."""
    if isinstance(schema, dict):
        yield schema
        inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ()), schema.get("items")]
        yield from (found for value in inner for found in _schemas(value))


def _either(value: dict[str, Any]) -> dict[str, Any]:
    """Return a message with its names in camel case; protocol buffers' JSON takes snake case too, and google-genai sends both."""
    return {re.sub("_(.)", lambda m: m[1].upper(), name): entry for name, entry in value.items()}


def content(text: str | None, *, finish: str = "STOP", model: str = "gemini-test", thoughts: int = 5, **more: Any) -> Sent:
    candidate: dict[str, Any] = {"finishReason": finish, "index": 0}
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 20, "thoughtsTokenCount": thoughts, "totalTokenCount": 1020 + thoughts}
    return as_json({"candidates": [candidate], "usageMetadata": usage, "modelVersion": f"{model}-001", **more})


def blocked(reason: str) -> Sent:
    return as_json({"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 10}})


def refusal(status: int, message: str, name: str, details: list[dict[str, Any]] | None = None, **headers: str) -> Sent:
    return as_json({"error": {"code": status, "message": message, "status": name, "details": details or []}}, status, **headers)
