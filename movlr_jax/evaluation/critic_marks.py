"""Marks: what a trial says of a critic, as numbers.

In: pairs with a known order, a critic's answers; motions with a known fault, its critiques. Out: `Marks`, with intervals, of all pairs,
of each kind and of each part of the body.

Pairs in which one motion is better and pairs that have to tie are never counted together. Of the first, `agreement` counts both answers
to a pair, a half each, so that a coin that knows no tie has 50 %; `settled` counts what a search makes of both, where a preference that
follows the order is a tie. `flips` are the pairs, of either sort, in which the better motion followed the order in which the two stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movlr_jax.critics.critique import FAULTS
from movlr_jax.evaluation import ruled_out
from movlr_jax.evaluation.agreement import Share
from movlr_jax.evaluation.critic_trial import Answer, Judged
from movlr_jax.evaluation.known_pairs import KINDS, KnownPair
from movlr_jax.evaluation.measured_motions import Motion
from movlr_jax.facts import Facts
from movlr_jax.llm.ledger import Spending


@dataclass(frozen=True)
class Tally:
    """A critic's answers to some pairs.

    Attributes:
        agreement: of pairs in which one motion is better, answers that name it.
        settled: the same, of what both answers come to.
        wrong: the same pairs, settled for the worse motion.
        ties: of pairs that have to tie, answers that say so.
        flips: of all pairs, those in which the answer followed the order.
        first: of the flips, those in which the motion that was shown first was preferred.
        unanswered: pairs without two usable answers; they count nowhere else.
    """

    agreement: Share
    settled: Share
    wrong: Share
    ties: Share
    flips: Share
    first: Share
    unanswered: int

    @staticmethod
    def of(answers: Iterable[tuple[KnownPair, Answer]]) -> Tally:
        """Count answers."""
        both = list(answers)
        usable = [(pair, answer) for pair, answer in both if answer.settled is not None]
        ordered = [(pair, answer) for pair, answer in usable if pair.better != "tie"]
        tied = [(pair, answer) for pair, answer in usable if pair.better == "tie"]
        places = [answer.position for _, answer in usable]
        return Tally(
            Share.counted(_agrees(pair, answer) for pair, answer in ordered),
            Share.counted(answer.settled == pair.better for pair, answer in ordered),
            Share.counted(answer.settled not in (pair.better, "tie") for pair, answer in ordered),
            Share.counted(_agrees(pair, answer) for pair, answer in tied),
            Share.counted(place is not None for place in places),
            Share.counted(place == "first" for place in places if place is not None),
            len(both) - len(usable),
        )

    @property
    def mark(self) -> Share:
        """Answers that agree with physics, of a kind whose pairs all have a better motion, or all have to tie."""
        return self.agreement if self.agreement.of else self.ties

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        names = ("agreement", "settled", "wrong", "ties", "flips", "first")
        return {name: getattr(self, name).document() for name in names} | {"unanswered": self.unanswered}


def _agrees(pair: KnownPair, answer: Answer) -> float:
    return ((answer.first == pair.better) + (answer.second == pair.better)) / 2.0


@dataclass(frozen=True)
class Naming:
    """How a critic names faults.

    Attributes:
        recall: kind of pair -> of its worse motions, those whose fault was named; "all": of all.
        parts: part of the body -> the same.
        false_alarms: kind of fault -> of motions in which physics rules it out, those in which it was named.
        critiques: critiques that name any fault that physics rules out.
        successes: of motions whose fault is one of stability or progress, those that were called a success.
        unanswered: motions without a usable critique.
    """

    recall: Mapping[str, Share]
    parts: Mapping[str, Share]
    false_alarms: Mapping[str, Share]
    critiques: Share
    successes: Share
    unanswered: int

    @staticmethod
    def of(motions: Mapping[str, tuple[Motion, KnownPair | None]], said: Mapping[str, Judged], facts: Callable[[Motion], Facts]) -> Naming:
        """Count critiques.

        Args:
            motions: key -> motion, and the pair by which its fault is known.
            said: key -> what the critic said of it.
            facts: what was measured of a motion.
        """
        recalls: dict[str, list[float]] = {}
        parts: dict[str, list[float]] = {}
        alarms: dict[str, list[float]] = {}
        whole: list[float] = []
        grave: list[float] = []
        for key, judged in said.items():
            if judged.critique is None:
                continue
            motion, pair = motions[key]
            named = {fault.kind for fault in judged.critique.faults}
            impossible = ruled_out.kinds(facts(motion))
            whole.append(float(bool(named & impossible)))
            for kind in sorted(impossible):
                alarms.setdefault(kind, []).append(float(kind in named))
            if pair is not None:
                expected = KINDS[pair.kind].faults
                hit = float(bool(named & set(expected)))
                recalls.setdefault(pair.kind, []).append(hit)
                parts.setdefault(pair.part, []).append(hit)
                if FAULTS[expected[0]][0] != "coordination":
                    grave.append(float(judged.critique.success))
        ordered = {kind: Share.counted(recalls[kind]) for kind in KINDS if kind in recalls}
        ordered["all"] = Share.counted(value for values in recalls.values() for value in values)
        return Naming(
            ordered,
            {part: Share.counted(values) for part, values in sorted(parts.items())},
            {kind: Share.counted(values) for kind, values in sorted(alarms.items())},
            Share.counted(whole),
            Share.counted(grave),
            sum(judged.critique is None for judged in said.values()),
        )

    def document(self) -> dict[str, Any]:
        """Return it for JSON; kinds that were ruled out everywhere and never named are left out of the false alarms."""
        return {
            "recall": {kind: share.document() for kind, share in self.recall.items()},
            "recall_by_part": {part: share.document() for part, share in self.parts.items()},
            "false_alarms": {kind: share.document() for kind, share in self.false_alarms.items() if share.hits},
            "critiques_with_false_alarms": self.critiques.document(),
            "called_a_success": self.successes.document(),
            "unanswered": self.unanswered,
        }


@dataclass(frozen=True)
class Marks:
    """What a trial says of one critic.

    Attributes:
        word: the critic.
        model: who answers; "" of one that asks nobody.
        whole: all pairs.
        ordered, tied: those in which one motion is better, and those that have to tie.
        kinds: kind of pair -> its pairs.
        parts: part of the body -> its pairs; of those in which one motion is better.
        naming: how it names faults; None of one that names none, or where none was asked for.
        spent: what its calls cost.
        seconds: that its answers and critiques took; those that stood in records take none.
    """

    word: str
    model: str
    whole: Tally
    ordered: Tally
    tied: Tally
    kinds: Mapping[str, Tally]
    parts: Mapping[str, Tally]
    naming: Naming | None
    spent: Spending
    seconds: float

    @staticmethod
    def of(
        word: str,
        model: str,
        pairs: Sequence[KnownPair],
        answers: Mapping[str, Answer],
        naming: Naming | None,
        spent: Spending,
        seconds: float,
    ) -> Marks:
        """Count what a critic said."""
        both = [(pair, answers[pair.key]) for pair in pairs if pair.key in answers]
        kinds = {kind: Tally.of(b for b in both if b[0].kind == kind) for kind in KINDS if any(b[0].kind == kind for b in both)}
        ordered = [b for b in both if b[0].better != "tie"]
        parts = {part: Tally.of(b for b in ordered if b[0].part == part) for part in dict.fromkeys(pair.part for pair, _ in ordered)}
        tied = Tally.of(b for b in both if b[0].better == "tie")
        return Marks(word, model, Tally.of(both), Tally.of(ordered), tied, kinds, parts, naming, spent, seconds)

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        spent = self.spent
        cost: dict[str, float] = {"calls": spent.calls, "reused": spent.reused}
        cost |= {"tokens_in": spent.tokens_in, "tokens_out": spent.tokens_out}
        cost |= {"usd": round(spent.usd, 6), "unpriced": spent.unpriced, "seconds": round(spent.seconds or self.seconds, 3)}
        return {
            "critic": self.word,
            **({"model": self.model} if self.model else {}),
            **self.whole.document(),
            "by_kind": {kind: tally.document() for kind, tally in self.kinds.items()},
            "by_part": {part: tally.document() for part, tally in self.parts.items()},
            **({} if self.naming is None else {"faults": self.naming.document()}),
            "cost": cost,
        }
