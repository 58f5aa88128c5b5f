"""Opening a model: from a role, a service and the configuration to a Model that can be asked.

Flows in: ("critic", "gemini"), a ModelsConfig, the run's Gateway. Flows out: a Model. A replayed run needs no client, no key and no
network.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from movlr_jax._versions import installed
from movlr_jax.errors import MovlrError
from movlr_jax.llm import addresses, secrets
from movlr_jax.llm.base import Model, ModelRequest
from movlr_jax.llm.client import Client, Reply
from movlr_jax.llm.config import SERVICES, ModelsConfig, Role
from movlr_jax.llm.gateway import Gateway

_LIBRARIES = {"gemini": "google-genai", "openai": "openai"}


def open_model(role: Role, service: str, config: ModelsConfig, gateway: Gateway) -> Model:
    """Return the model that plays a role.

    Raises:
        MovlrError: there is no such service, its library or its key is missing, a budget cannot be kept, or its key would go to an address
            that only a file names.
    """
    if service not in SERVICES:
        raise MovlrError(f"There is no model service '{service}': use {' or '.join(SERVICES)}.")
    if gateway.replaying:
        return gateway.model(_Absent(config.model(role, service), service))
    return gateway.model(open_client(service, config.model(role, service), config.url(role), config, gateway, role))


def open_client(service: str, model: str, url: str, config: ModelsConfig, gateway: Gateway | None = None, role: str = "model") -> Client:
    """Return a client of one service.

    Raises:
        MovlrError: the service's library or its key is missing, or its key would go to an address that only a file names.
    """
    library = _LIBRARIES[service]
    if installed(library) is None:
        raise MovlrError(f"The service {service} needs the package {library}: pip install 'movlr-jax[{service}]'.")
    if service == "gemini":
        from movlr_jax.llm.gemini import Gemini

        key = secrets.find(secrets.GEMINI_KEYS)
        if key is None:
            raise MovlrError(f"The service gemini needs a key: set {secrets.GEMINI_KEYS[0]} in the environment.")
        addresses.key_goes("gemini", url, role)
        sleep = time.sleep if gateway is None else gateway.sleep
        return Gemini(model, key, url=url, timeout_s=config.timeout_s, sleep=sleep)
    from movlr_jax.llm.openai_compatible import OpenAICompatible

    key = secrets.find(secrets.OPENAI_KEYS)
    known = addresses.key_goes("openai", url, role)
    return OpenAICompatible(
        model,
        url or addresses.default("openai"),
        key=key,
        known=known,
        timeout_s=config.timeout_s,
        video=config.video,
    )


@dataclass
class _Absent:
    """Stands for the client of a service that a replay never asks."""

    name: str
    service: str

    def send(self, request: ModelRequest) -> Reply:
        raise AssertionError("a replay asks no service")

    def recall(self, learnt: Iterable[str]) -> None:
        pass

    def models(self) -> list[str]:
        raise AssertionError("a replay asks no service")
