"""ModelsConfig: which models are asked, where, and how patiently.

Flows in: the values of `models` in a run's YAML, the flags `--models.X`. Flows out: a frozen record. Keys stand in the environment
alone (`secrets.py`): an address that carries one is refused, because the record is saved in the run's folder. An address that only a file
names is sent none (`addresses.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax.errors import require
from movlr_jax.llm import addresses

Role = Literal["critic", "writer"]
SERVICES: tuple[str, ...] = ("gemini", "openai")

# What a service is asked for where no model is named. The paper's Gemini 2.0 Flash was discontinued on 1 June 2026; its successor in
# line, price and purpose (fast, watches video) is Gemini 3.8 Flash, released on 2 September 2026. The writer is the paper's.
DEFAULT_MODELS: dict[tuple[str, str], str] = {
    ("gemini", "critic"): "gemini-3.8-flash",
    ("gemini", "writer"): "gemini-3.8-flash",
    ("openai", "critic"): "Qwen/Qwen2.5-VL-72B-Instruct",
    ("openai", "writer"): "Qwen/Qwen2.5-Coder-32B-Instruct",
}


@dataclass(frozen=True)
class ModelsConfig:
    """The models behind the critics and writers that ask one."""

    critic_model: str = ""
    """Who watches; empty: gemini-3.8-flash, or Qwen/Qwen2.5-VL-72B-Instruct on an OpenAI-compatible server.
    (The paper's gemini-2.0-flash was discontinued in June 2026.)"""
    writer_model: str = ""
    """Who writes; empty: Qwen/Qwen2.5-Coder-32B-Instruct on an OpenAI-compatible server, or gemini-3.8-flash."""
    critic_url: str = ""
    """The critic's server: the base URL of an OpenAI-compatible one, for example http://localhost:8000/v1, or another endpoint for Gemini;
    empty: OPENAI_BASE_URL if set, else http://localhost:8000/v1; Google's own for Gemini."""
    writer_url: str = ""
    """The writer's server, likewise."""
    timeout_s: float = 180.0
    """Longest time for one whole answer, from looking up the server's name to the last byte [s]; the upload of a clip may take as long."""
    retries: int = 8
    """Times that a call which failed for a passing reason is made again; 8 bridge some two minutes."""
    max_tokens: int = 8192
    """Longest answer of a model [tokens]; thoughts count where the server counts them (Gemini's get room beside it). Raise it for a model
    whose answers are cut off, lower it for a server with a short context."""
    video: Literal["auto", "video", "frames"] = "auto"
    """How an OpenAI-compatible server is shown a clip: video, frames (at most 32 a request), or auto (video until it is refused)."""
    prices: str = ""
    """A YAML file of prices [USD per million tokens], `MODEL: {input: X, output: Y}`, that adds to and overrides the packaged table."""
    cache: str = ""
    """A folder of answers shared by runs: a request that was answered in any of them is not made again; empty: none."""

    def __post_init__(self) -> None:
        """Refuse values that no model can be asked with."""
        require(
            (0 < self.timeout_s <= 86400, f"models.timeout_s is {self.timeout_s}: give more than 0 seconds and at most 86400, a day."),
            (self.max_tokens >= 1, f"models.max_tokens is {self.max_tokens}: give 1 or more."),
            (self.retries >= 0, f"models.retries is {self.retries}: give 0 (never again) or more."),
        )
        for name in ("critic_url", "writer_url"):
            addresses.check(f"models.{name}", getattr(self, name))

    def model(self, role: Role, service: str) -> str:
        """Return the name of the model that plays a role."""
        return (self.critic_model if role == "critic" else self.writer_model) or DEFAULT_MODELS[(service, role)]

    def url(self, role: Role) -> str:
        """Return the address that a role's server was given, or ""."""
        return self.critic_url if role == "critic" else self.writer_url
