"""The feedback of a run: who judges its motions and who writes its rewards, as its method wants them.

Flows in: a RunConfig, the run's Gateway. Flows out: critic and writer; judgements, preferences and drafts as the loop saves them, each with
the records of the calls made for it. A judgement that a model will not give does not end a run: the last good one goes on, and of two
motions neither is preferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from movlr_jax.critics.base import Critic, Evidence, settle
from movlr_jax.critics.biomechanics import BiomechanicsCritic
from movlr_jax.critics.clip_critic import ClipCritic
from movlr_jax.critics.vlm import VlmCritic
from movlr_jax.errors import MovlrError
from movlr_jax.llm.base import ModelFault
from movlr_jax.llm.config import SERVICES, Role
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.recorder import Recorder
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.search.stages import Draft, Json, Moved, NothingToWrite, Preference
from movlr_jax.writers.base import NothingLeft, Writer, WriteRequest
from movlr_jax.writers.library_writer import LibraryWriter
from movlr_jax.writers.llm import LlmWriter
from movlr_jax.writers.random_writer import RandomWriter
from movlr_jax.writers.weight_tuner import WeightTuner

CRITICS: dict[str, Callable[[], Critic]] = {"offline": BiomechanicsCritic, "clip": ClipCritic}
WRITERS: dict[str, Callable[[], Writer]] = {"offline": LibraryWriter, "random": RandomWriter, "tuner": WeightTuner}
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

        _known("critic", config.critic, CRITICS)
        _known("writer", config.writer, WRITERS)
        self.critic: Critic | None = None
        if self.method.judges or self.method.compares:
            self.critic = VlmCritic(model("critic", config.critic), show) if config.critic in SERVICES else CRITICS[config.critic]()
        if self.method.one_model:
            self.writer: Writer = LlmWriter(model("critic", config.critic), self.method.sees, show)
        elif config.writer in SERVICES:
            self.writer = LlmWriter(model("writer", config.writer), self.method.sees, show)
        else:
            self.writer = WRITERS[config.writer]()

    def critique(self, moved: Moved) -> Json:
        """Have one motion judged; "calls" holds the records of model calls.

        Raises:
            MovlrError: the critic cannot go on.
        """
        if self.critic is None or not self.method.judges:
            return {"summary": f"Nobody judges motions in the method {self._name}.", "faults": [], "suggestions": []}
        try:
            judged = self.critic.critique(moved.clip, moved.facts).model_dump(mode="json")
        except ModelFault as fault:
            if fault.kind not in _PASSING:
                raise
            judged = _instead(moved.earlier, str(fault))
        return {**judged, "calls": self._calls()}

    def prefer(self, candidate: Moved, best: Moved) -> Preference:
        """Have two motions compared, in both orders.

        Raises:
            MovlrError: the critic cannot go on.
        """
        if self.critic is None or not self.method.compares:
            return Preference("tie", f"Nobody compares motions in the method {self._name}.")
        one, other = (Evidence(m.facts, m.clip, m.name) for m in (candidate, best))
        try:
            answer = settle(self.critic, one, other)
        except ModelFault as fault:
            if fault.kind not in _PASSING:
                raise
            return Preference("tie", f"There is no usable comparison: {fault}", self._calls())
        winner = {"a": "candidate", "b": "best", "tie": "tie"}[answer.winner]
        return Preference(winner, answer.reason, self._calls())  # type: ignore[arg-type]

    def write(self, request: WriteRequest) -> Draft:
        """Have a reward written.

        Raises:
            NothingToWrite: the writer has no draft left to offer.
            MovlrError: the writer cannot go on.
        """
        try:
            draft = self.writer.write(request)
        except NothingLeft as nothing:
            raise NothingToWrite(str(nothing)) from nothing
        name, why = f"iteration {request.iteration}", draft.rationale
        if request.advice and not isinstance(self.writer, LlmWriter):
            why = f"{why} (The advice is not used: the {self.writer.name} writer reads no sentences.)"
        return Draft(name, draft.source, draft.edit, why, calls=self._calls(), refusal=draft.refusal)

    def _calls(self) -> tuple[Json, ...]:
        return tuple(record for recorder in self._recorders for record in recorder.take())


def _known(kind: str, name: str, offline: Mapping[str, Any]) -> None:
    if name not in offline and name not in SERVICES:
        raise MovlrError(f"There is no {kind} '{name}' in this version: there are {', '.join([*offline, *SERVICES])}.")


def _instead(earlier: Json | None, fault: str) -> dict[str, Any]:
    """Return what stands for a judgement that was not given: that of the best motion so far, where there is one."""
    if earlier is None:
        return {"success": False, "summary": f"This motion was not judged: {fault}", "faults": [], "suggestions": [], "unjudged": fault}
    said = str(earlier.get("summary", ""))
    note = "" if "unjudged" in earlier else " (Said of the best motion before: this one was not judged.)"
    return {**{k: v for k, v in earlier.items() if k != "advice"}, "summary": said + note, "unjudged": fault}
