"""The feedback of a run: who judges its motions and who writes its rewards, as its method wants them.

Flows in: a RunConfig, the run's Gateway. Flows out: critic and writer; judgements, preferences and drafts as the loop saves them, each with
the records of the calls made for it. A judgement that a model will not give does not end a run: the last good one goes on, and of two
motions neither is preferred.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from movlr_jax.critics import CRITICS
from movlr_jax.critics.base import Critic, Evidence, Watcher, settle
from movlr_jax.critics.critique import Preference
from movlr_jax.critics.vlm import VlmCritic
from movlr_jax.llm.base import ModelFault
from movlr_jax.llm.config import SERVICES, Role
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.recorder import Recorder
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.writers import WRITERS
from movlr_jax.writers.base import Draft, Writer, WriteRequest
from movlr_jax.writers.llm import LlmWriter

Json = Mapping[str, Any]
# A run goes on without the answer; after any other fault it stops, and asks again when it goes on.
_PASSING = ("blocked", "unusable")


class Feedback:
    """Critic and writer of a run.

    Args:
        config: the run's configuration, settled.
        gateway: through which models are asked.

    Raises:
        MovlrError: there is no such critic or writer, or its model cannot be asked.
    """

    def __init__(self, config: RunConfig, gateway: Gateway):
        self.method, self._name = methods.of(config), config.method
        show = self.method.show(config.show)
        self._recorders: list[Recorder] = []

        def model(role: Role, service: str) -> Recorder:
            self._recorders.append(Recorder(open_model(role, service, config.models, gateway)))
            return self._recorders[-1]

        for name, registry in ((config.critic, CRITICS), (config.writer, WRITERS)):
            if name not in SERVICES:
                registry.require(name)
        self.critic: Critic | None = None
        if self.method.judges or self.method.compares:
            self.critic = VlmCritic(model("critic", config.critic), show) if config.critic in SERVICES else CRITICS[config.critic]()
        if self.method.one_model:
            self.writer: Writer = LlmWriter(model("critic", config.critic), self.method.sees, show)
        elif config.writer in SERVICES:
            self.writer = LlmWriter(model("writer", config.writer), self.method.sees, show)
        else:
            self.writer = WRITERS[config.writer]()

    def critique(self, motion: Evidence, earlier: Json | None = None) -> Json:
        """Have one motion judged; "calls" holds the records of model calls.

        Args:
            motion: it.
            earlier: the critique of the best motion so far, or None where this is the first.

        Raises:
            MovlrError: the critic cannot go on.
        """
        if self.critic is None or not self.method.judges:
            return {"summary": f"Nobody judges motions in the method {self._name}.", "faults": [], "suggestions": []}
        try:
            worst = motion.of_worst()
            critic = self.critic
            critique = critic.watch(motion) if isinstance(critic, Watcher) else critic.critique(worst.clip, worst.facts)
            judged = critique.model_dump(mode="json")
        except ModelFault as fault:
            if fault.kind not in _PASSING:
                raise
            judged = _instead(earlier, str(fault))
        return {**judged, "calls": self._calls()}

    def compare(self, a: Evidence, b: Evidence) -> tuple[Preference, tuple[Json, ...]]:
        """Have two motions compared, in both orders; with the records of the model calls.

        Raises:
            MovlrError: the critic cannot go on.
        """
        if self.critic is None or not self.method.compares:
            return Preference(winner="tie", reason=f"Nobody compares motions in the method {self._name}."), ()
        try:
            preference = settle(self.critic, a, b)
        except ModelFault as fault:
            if fault.kind not in _PASSING:
                raise
            preference = Preference(winner="tie", reason=f"There is no usable comparison: {fault}")
        return preference, self._calls()

    def write(self, request: WriteRequest) -> Draft:
        """Have a reward written; the critique is shown where the method has one.

        Raises:
            NothingLeft: the writer has no draft left to offer.
            MovlrError: the writer cannot go on.
        """
        draft = self.writer.write(request if self.method.judges else _unjudged(request))
        why = draft.rationale
        if request.advice and not isinstance(self.writer, LlmWriter):
            why = f"{why} (The advice is not used: the {self.writer.name} writer reads no sentences.)"
        return dataclasses.replace(draft, name=f"iteration {request.iteration}", rationale=why, calls=self._calls())

    def _calls(self) -> tuple[Json, ...]:
        return tuple(record for recorder in self._recorders for record in recorder.take())


def _unjudged(request: WriteRequest) -> WriteRequest:
    """Return a request without what stands for a critique where nobody judges."""
    failed = tuple(dataclasses.replace(attempt, critique=None) for attempt in request.failed)
    elites = tuple(dataclasses.replace(elite, critique=None) for elite in request.elites)
    return dataclasses.replace(request, critique=None, failed=failed, elites=elites)


def _instead(earlier: Json | None, fault: str) -> dict[str, Any]:
    """Return what stands for a judgement that was not given: that of the best motion so far, where there is one."""
    if earlier is None:
        return {"success": False, "summary": f"This motion was not judged: {fault}", "faults": [], "suggestions": [], "unjudged": fault}
    summary = str(earlier.get("summary", ""))
    note = "" if "unjudged" in earlier else " (Said of the best motion before: this one was not judged.)"
    return {**{k: v for k, v in earlier.items() if k != "advice"}, "summary": summary + note, "unjudged": fault}
