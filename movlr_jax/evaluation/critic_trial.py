"""Critics on trial: each pair with a known order is shown in both orders, and motions with a known fault are criticised.

In: the words for critics (`offline`, `clip`, `gemini`, `openai`, those of other packages; `gemini=MODEL` names the model), pairs, who
measures and films them. Out: answers and critiques, with the time that they took. Models are asked through the gateway, which keeps every
answer: the same trial made again asks nothing twice, and is paid for once.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.critics import CRITICS
from movlr_jax.critics.attachments import Show
from movlr_jax.critics.base import Critic, Evidence, Watcher
from movlr_jax.critics.critique import Critique, Preference
from movlr_jax.critics.vlm import VlmCritic
from movlr_jax.errors import MovlrError, require
from movlr_jax.evaluation.known_pairs import KnownPair
from movlr_jax.evaluation.measured_motions import MeasuredMotions, Motion
from movlr_jax.llm.base import ModelFault
from movlr_jax.llm.config import SERVICES, ModelsConfig
from movlr_jax.llm.factory import open_model
from movlr_jax.llm.gateway import Gateway
from movlr_jax.llm.ledger import Spending

CLIP = "clip"
# After such a fault the next pair is shown; after any other the trial ends, and goes on by the same command.
_PASSING = ("blocked", "unusable")


@dataclass(frozen=True)
class Juror:
    """A critic on trial.

    Attributes:
        word: what it is called.
        critic: it.
        service, model: who answers, of a critic that asks a model; "" of others.
        filmed: whether it looks at films.
    """

    word: str
    critic: Critic
    service: str = ""
    model: str = ""
    filmed: bool = False

    @property
    def scored(self) -> bool:
        """Whether it goes by CLIP's score."""
        return self.word == CLIP

    @property
    def criticises(self) -> bool:
        """Whether it names faults of its own: what the critic `clip` says of a single motion is the offline critic's."""
        return self.word != CLIP

    def spent(self, gateway: Gateway) -> Spending:
        """Return what its calls add up to."""
        spending = Spending()
        for record in gateway.ledger.records():
            if self.service and (record.get("service"), record.get("model")) == (self.service, self.model):
                spending = spending.plus(record)
        return spending


@dataclass(frozen=True)
class Answer:
    """What a critic said of a pair.

    Attributes:
        first: its word where side a was shown first: "a", "b", "tie"; None: there was no usable answer.
        second: its word where side b was shown first, in terms of the same sides.
        reasons: for both.
        seconds: that both took.
    """

    first: str | None
    second: str | None
    reasons: tuple[str, str]
    seconds: float

    @property
    def settled(self) -> str | None:
        """What a search makes of both: a preference that changes with the order is a tie; None without both answers."""
        if self.first is None or self.second is None:
            return None
        return self.first if self.first == self.second else "tie"

    @property
    def position(self) -> str | None:
        """Which place was preferred, "first" or "second", where the better one followed the order; None where it did not."""
        if {self.first, self.second} != {"a", "b"}:
            return None
        return "first" if self.first == "a" else "second"

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**dataclasses.asdict(self), "settled": self.settled}


@dataclass(frozen=True)
class Judged:
    """What a critic said of a motion.

    Attributes:
        critique: it; None: there was no usable answer.
        fault: why not.
        seconds: that it took.
    """

    critique: Critique | None
    fault: str
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        critique = None if self.critique is None else self.critique.model_dump(mode="json")
        return {"critique": critique, "fault": self.fault, "seconds": self.seconds}


def jurors(words: Sequence[str], models: ModelsConfig, show: Show, gateway: Gateway) -> list[Juror]:
    """Open critics.

    Args:
        words: names of critics, or SERVICE=MODEL.
        models: the models' settings; where a word names no model, critic_model is meant.
        show: what models are shown.
        gateway: through which models are asked.

    Raises:
        MovlrError: there is no such critic, two words mean the same, one address is given for two services, or a model cannot be asked.
    """
    require(
        (bool(words), "There is no critic on trial: give --critics offline, or others."),
        (len(set(words)) == len(words), f"--critics has repeats ({' '.join(words)}): give each once."),
    )
    services = {word.partition("=")[0] for word in words} & set(SERVICES)
    if models.critic_url and len(services) > 1:
        raise MovlrError(
            f"--models.critic-url is one address, and {' and '.join(sorted(services))} are two services: try them one after the other."
        )
    out: list[Juror] = []
    for word in words:
        service, named, model = word.partition("=")
        if service not in SERVICES:
            CRITICS.require(word)
            out.append(Juror(word, CRITICS[word]()))
            continue
        require((not named or bool(model), f"'{word}' names no model after its =: write {service}=MODEL, or {service} alone."))
        settings = dataclasses.replace(models, critic_model=model) if model else models
        critic = VlmCritic(open_model("critic", service, settings, gateway), show)
        out.append(Juror(word, critic, service, settings.model("critic", service), critic.show.clip != "nothing"))
    asked = [(juror.service, juror.model) for juror in out if juror.service]
    require((len(set(asked)) == len(asked), "Two of --critics mean the same model: give each once."))
    return out


def ask(juror: Juror, pair: KnownPair, measured: MeasuredMotions) -> Answer:
    """Show a critic one pair, in both orders.

    Raises:
        ModelFault: its model cannot be asked.
        MovlrError: a film or a score is missing.
    """
    a, b = (measured.evidence(side, filmed=juror.filmed, scored=juror.scored) for side in (pair.a, pair.b))
    began = time.perf_counter()
    first, second = _compared(juror.critic, a, b), _compared(juror.critic, b, a)
    seconds = time.perf_counter() - began
    words = [answer.winner if isinstance(answer, Preference) else None for answer in (first, _swapped(second))]
    reasons = [answer.reason if isinstance(answer, Preference) else answer for answer in (first, second)]
    return Answer(words[0], words[1], (reasons[0], reasons[1]), round(seconds, 6))


def _compared(critic: Critic, first: Evidence, second: Evidence) -> Preference | str:
    """Return a preference, or why there is none."""
    try:
        return critic.compare(first, second)
    except ModelFault as fault:
        if fault.kind not in _PASSING:
            raise
        return str(fault)


def _swapped(answer: Preference | str) -> Preference | str:
    return answer.swapped() if isinstance(answer, Preference) else answer


def judge(juror: Juror, motion: Motion, measured: MeasuredMotions) -> Judged:
    """Have a critic criticise one motion.

    Raises:
        ModelFault: its model cannot be asked.
        MovlrError: a film is missing.
    """
    shown = measured.evidence((motion,), filmed=juror.filmed, scored=juror.scored)
    began = time.perf_counter()
    try:
        critic = juror.critic
        said = critic.watch(shown) if isinstance(critic, Watcher) else critic.critique(shown.clip, shown.facts)
    except ModelFault as fault:
        if fault.kind not in _PASSING:
            raise
        return Judged(None, str(fault), round(time.perf_counter() - began, 6))
    return Judged(said, "", round(time.perf_counter() - began, 6))


def to_criticise(pairs: Sequence[KnownPair], count: int) -> dict[str, tuple[Motion, KnownPair | None]]:
    """Return the motions that are criticised: key -> motion, and the pair by which its fault is known; None of the better ones.

    Args:
        pairs: of all kinds.
        count: how many pairs of each kind, both of whose motions are criticised.
    """
    out: dict[str, tuple[Motion, KnownPair | None]] = {}
    taken: dict[str, int] = {}
    for pair in pairs:
        worse = pair.worse()
        if worse is None or taken.get(pair.kind, 0) >= count or worse.recorded.body is None:
            continue
        if out.get(worse.key, (worse, None))[1] is not None:
            continue  # its fault is known by a pair of another kind already
        taken[pair.kind] = taken.get(pair.kind, 0) + 1
        out[worse.key] = (worse, pair)
        better = pair.a[0] if pair.better == "a" else pair.b[0]
        out.setdefault(better.key, (better, None))
    return out


Answers = Mapping[str, Mapping[str, Answer]]  # word of a critic -> key of a pair -> what it said
Critiques = Mapping[str, Mapping[str, Judged]]  # word of a critic -> key of a motion -> what it said
Tell = Callable[[str], None]
