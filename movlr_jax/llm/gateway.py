"""The gateway: the one door between a run and its models. What was answered once is never asked, or paid for, again.

Flows in: Asks, through the Models that it hands out. Flows out: Answers, and one record a call in the run's folder, written the moment
the answer is there. Before a service is asked, the answer is looked for in the run's own records (a killed run goes on where it was), in
the records of a run that is replayed, and in a cache that runs share. Retries follow `faults.RULES`; a budget of calls and of money is
kept here.

Faults that would meet the same request again (a blocked or an unusable answer) are answers too: they are recorded, and come back on a
replay.
"""

from __future__ import annotations

import dataclasses
import datetime
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.llm import addresses, requests
from movlr_jax.llm.base import Answer, Model, ModelFault, ModelRequest
from movlr_jax.llm.client import Client, Reply
from movlr_jax.llm.config import ModelsConfig
from movlr_jax.llm.dialect import out_of_range
from movlr_jax.llm.faults import RULES, Fault, Trouble
from movlr_jax.llm.ledger import Ledger
from movlr_jax.llm.prices import Prices
from movlr_jax.llm.secrets import scrub

# The n-th wait is drawn between 0 and the smaller of these, doubled n times for the first [s].
_FIRST_WAIT = 2.0
_LONGEST_WAIT = 60.0
# A service that asks for more than this is not waited for [s].
_LONGEST_ASKED_WAIT = 600.0
_RECORDED_FAULTS = ("blocked", "unusable")
_LISTED = 12


class Gateway:
    """Answers requests from records, or from a service.

    Args:
        folder: where this run's records are kept.
        max_calls: calls that the run may make in all; 0: no limit.
        max_cost: money that the run may spend in all [USD]; 0: no limit. The call that crosses it is the last.
        prices: what a call costs.
        retries: times that a call which failed for a passing reason is made again.
        max_tokens: the longest answer that is asked for; None: as each ModelRequest says.
        cache: a folder of records shared by runs, or None.
        replay: the folder of records that a replayed run left; nothing else is asked then. None: not a replay.
        clock: monotonic seconds.
        sleep: waits so many seconds.
        rng: draws the waits.
        tell: is told in a sentence of every wait.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_calls: int = 0,
        max_cost: float = 0.0,
        prices: Prices | None = None,
        retries: int = 8,
        max_tokens: int | None = None,
        cache: Path | None = None,
        replay: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
        tell: Callable[[str], None] | None = None,
    ):
        self.max_calls, self.max_cost, self.retries, self.max_tokens = max_calls, max_cost, retries, max_tokens
        self.prices = Prices.load() if prices is None else prices
        self.ledger = Ledger(folder)
        self.redrawn = 0
        self.sleep = sleep
        self._cache = None if cache is None else Ledger(cache)
        self._replay = None if replay is None else _Replayed(replay)
        self._clock, self._rng, self._tell = clock, rng or random.Random(), tell

    @staticmethod
    def open(folder: Path, config: ModelsConfig, **more: Any) -> Gateway:
        """Return the gateway of a run as its configuration wants it; `more` are this class's other arguments.

        Raises:
            MovlrError: the prices cannot be read, or a record is damaged.
        """
        cache = addresses.folder(config.cache) if config.cache else None
        prices = Prices.load(config.prices)
        return Gateway(folder, prices=prices, retries=config.retries, max_tokens=config.max_tokens, cache=cache, **more)

    @property
    def replaying(self) -> bool:
        """Whether answers come from the records of another run alone."""
        return self._replay is not None

    def model(self, client: Client) -> Model:
        """Return the model behind a client, as critics and writers ask it.

        Raises:
            MovlrError: a budget of money cannot be kept, because the model's price is unknown.
        """
        if self.max_cost and not self.replaying and client.name not in self.prices.of:
            raise MovlrError(
                f"The price of {client.name} is unknown, so --max-cost cannot be kept: write `{client.name}: {{input: X, output: Y}}` "
                "(USD per million tokens; 0 for a server of your own) to a file and name it with --models.prices."
            )
        for record in () if self.replaying else self.ledger.records():
            if (record.get("service"), record.get("model")) == (client.service, client.name):
                client.recall(record.get("learnt", ()))
        return _GatewayModel(self, client)

    def ask(self, client: Client, request: ModelRequest) -> Answer:
        """Return the answer to a request; see `Model.ask`."""
        if self.max_tokens is not None:
            request = dataclasses.replace(request, max_tokens=self.max_tokens)
        described = requests.describe(client.service, client.name, request)
        key = requests.key_of(described)
        record = self.ledger.get(key)
        if record is None:
            stored = self._recorded_elsewhere(key, described)
            if stored is not None:
                mine = {"key": key, "request": described, "purpose": request.purpose, "prompt": request.prompt, "time": _now()}
                record = self.ledger.add({**stored, **mine})
            else:
                record = self._call(client, request, key, described)
        if record["fault"] is not None:
            raise ModelFault(record["fault"]["sentence"], record["fault"]["kind"], key)
        return Answer(record["response"], record, record["complete"], record.get("thoughts", ""), request.max_tokens)

    def _recorded_elsewhere(self, key: str, described: dict[str, Any]) -> dict[str, Any] | None:
        """Return the record of an equal request of another run, or None."""
        if self._replay is not None:
            record, exact = self._replay.find(key, described)
            self.redrawn += not exact
            return {**record, "source": "replay"}
        if self._cache is not None and (cached := self._cache.get(key)) is not None:
            return {**cached, "source": "cache", "usd": 0.0}
        return None

    def _refuse_overspending(self) -> None:
        spent = self.ledger.total
        if self.max_calls and spent.calls >= self.max_calls:
            raise ModelFault(f"The budget of {self.max_calls} model calls is spent", "stopped")
        if self.max_cost and spent.usd >= self.max_cost:
            raise ModelFault(f"The budget of {self.max_cost:g} USD is spent ({spent.usd:.4f} USD)", "stopped")

    def _call(self, client: Client, request: ModelRequest, key: str, described: dict[str, Any]) -> dict[str, Any]:
        self._refuse_overspending()
        began = self._clock()
        attempts: list[dict[str, Any]] = []
        reply, fault = self._attempts(client, request, attempts)
        sentence = "" if fault is None else self._sentence(client, request, fault, len(attempts))
        if fault is not None and RULES[fault.trouble].kind not in _RECORDED_FAULTS:
            raise ModelFault(sentence, RULES[fault.trouble].kind)
        tokens = (None, None) if reply is None else (reply.tokens_in, reply.tokens_out)
        record = {
            "key": key,
            "purpose": request.purpose,
            "prompt": request.prompt,
            "service": client.service,
            "model": client.name,
            "answered_by": "" if reply is None else scrub(reply.answered_by),
            "request": described,
            "response": None if reply is None else scrub(reply.text),
            "thoughts": "" if reply is None else scrub(reply.thoughts),
            "complete": reply is not None and reply.complete,
            "learnt": [] if reply is None else list(reply.learnt),
            "fault": None if fault is None else {"kind": RULES[fault.trouble].kind, "sentence": sentence},
            "tokens": {"in": tokens[0], "out": tokens[1]},
            "usd": self.prices.cost(client.name, *tokens),
            "seconds": round(self._clock() - began, 3),
            "attempts": attempts,
            "time": _now(),
            "source": "service",
        }
        if self._cache is not None and fault is None:
            self._cache.add(record)
        return self.ledger.add(record)

    def _attempts(self, client: Client, request: ModelRequest, attempts: list[dict[str, Any]]) -> tuple[Reply | None, Fault | None]:
        """Call until there is a reply, a fault that no repetition mends, or no attempt left."""
        while True:
            try:
                reply = client.send(request)
            except Fault as fault:
                wait = self._wait(fault, len(attempts))
                attempts.append({"fault": str(fault.trouble), "status": fault.status, "sentence": fault.sentence, "waited_s": wait})
                if wait is None:
                    return None, fault
                if self._tell is not None:
                    self._tell(f"{fault.sentence} Asking again in {wait:.0f} s.")
                self.sleep(wait)
            else:
                attempts.append({"fault": None, "status": 200, "sentence": "", "waited_s": None})
                return reply, None

    def _wait(self, fault: Fault, before: int) -> float | None:
        """Return how long to wait before the next attempt [s]; None where there is none."""
        if not RULES[fault.trouble].again or before >= self.retries:
            return None
        drawn = self._rng.uniform(0.0, min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**before))
        if fault.retry_after_s is None:
            return round(drawn, 3)
        if fault.retry_after_s > _LONGEST_ASKED_WAIT:
            return None
        # Not before the time that was asked for, and not all clients at once.
        return round(fault.retry_after_s + min(drawn, 1.0 + 0.1 * fault.retry_after_s), 3)

    def _sentence(self, client: Client, request: ModelRequest, fault: Fault, attempts: int) -> str:
        sentence = fault.sentence
        if fault.trouble is Trouble.MODEL:
            try:
                names = client.models()
            except Fault:
                names = []
            if names and client.name not in names:
                listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
                sentence += f" There is no model {client.name}: {did_you_mean(client.name, names)}it has {listed}."
        elif fault.trouble is Trouble.REQUEST and out_of_range(fault.message) and "token" in fault.message.lower():
            sentence += f" Lower --models.max-tokens, {request.max_tokens} now, or give the server a longer context."
        elif fault.retry_after_s is not None and fault.retry_after_s > _LONGEST_ASKED_WAIT:
            sentence += f" It asks to wait {fault.retry_after_s / 60:.0f} minutes: go on then."
        elif RULES[fault.trouble].again:
            sentence += f" {attempts} attempts were made."
        return scrub(sentence)


class _GatewayModel:
    """A model whose requests go over a gateway."""

    def __init__(self, gateway: Gateway, client: Client):
        self.name = client.name
        self._gateway, self._client = gateway, client

    def ask(self, request: ModelRequest) -> Answer:
        return self._gateway.ask(self._client, request)


class _Replayed:
    """The records of a run that is replayed."""

    def __init__(self, folder: Path):
        self._ledger = Ledger(folder)
        self._records = {record["key"]: record for record in self._ledger.records()}
        self._by_words: dict[str, list[Mapping[str, Any]]] = {}
        for record in self._records.values():
            words = requests.key_of(requests.without_media(record["request"]))
            self._by_words.setdefault(words, []).append(record)

    def find(self, key: str, described: dict[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """Return the record of a request, and whether it is equal in every byte.

        Another machine may draw the same motion in other pixels. A request that agrees in every word with exactly one record is that
        record's, whatever its clip's bytes: the measured numbers in its text are the motion's.

        Raises:
            ModelFault: there is none.
        """
        if key in self._records:
            return self._records[key], True
        alike = self._by_words.get(requests.key_of(requests.without_media(described)), [])
        if len(alike) == 1:
            return alike[0], False
        why = requests.difference(described, [record["request"] for record in self._records.values()])
        raise ModelFault(f"The records of the replayed run hold no answer to a request of this run ({why}).", "unrecorded")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
