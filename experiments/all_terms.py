"""All terms of the library at once, each at the weight that the library gives it: the reward that nobody has chosen from.

In: a task and a body. Out: a program of the library terms that the body has what it takes for and the goal does not speak against, the
same choice that the writers `offline` and `random` have. A program holds fewer terms than the library does, so the terms of a class are
summed up, each under its weight, and the classes weigh 1. Like any text that is not the package's own it goes through the sandbox, which
bounds what a program may compute: where all terms together are more than that, some are left out, first those that read most of the body,
and none whose fault nothing else acts against; the program's origin says which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from movlr_jax.errors import MovlrError
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Work
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards import program
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.layout import FeatureLayout
from movlr_jax.rewards.library import CLASSES, LibraryTerm
from movlr_jax.rewards.vocabulary import vocabulary
from movlr_jax.sandbox.prove import Prover
from movlr_jax.tasks import Task
from movlr_jax.writers import proposals
from movlr_jax.writers.base import WriteRequest

NAME = "all terms"
_TOO_LARGE = "inspection"  # the sandbox's stage that bounds what a program computes
_taken: dict[tuple[str, str], list[LibraryTerm]] = {}  # (layout, program of all terms) -> those that the sandbox takes together


def terms_of(goal: str, words: str) -> list[LibraryTerm]:
    """Return the terms, by class.

    Args:
        goal: the goal sentence.
        words: the vocabulary of the body.
    """
    admitted = proposals.admitted(WriteRequest(goal, words, "", {}))
    return sorted(admitted.values(), key=lambda term: CLASSES.index(term.term_class))


def source(terms: Sequence[LibraryTerm]) -> str:
    """Return the program of some terms."""
    classes = {name: of for name in CLASSES if (of := [term for term in terms if term.term_class == name])}
    text = program.write(dict.fromkeys(classes, 1.0), {name: _sum(of) for name, of in classes.items()})
    # Entries of the library may declare constants that their expressions read.
    declared = {name: triple for term in terms for name, triple in getattr(term, "parameters", {}).items()}
    head = "PARAMETERS = {\n" + "".join(f'    "{name}": {triple!r},\n' for name, triple in declared.items()) + "}\n"
    return f"{head}{text}" if declared else text


def _sum(terms: Sequence[LibraryTerm]) -> str:
    weights = ", ".join(repr(term.weight) for term in terms)
    lines = "".join(f"            {term.expression},  # {term.name}\n" for term in terms)
    return f"jnp.dot(jnp.array([{weights}]), jnp.stack([\n{lines}        ]))"


def found(task: Task, body: Morphology) -> RewardText:
    """Return the program of all terms of a task and body, or of as many as the sandbox takes.

    Raises:
        MovlrError: the sandbox refuses it for another reason than its size.
    """
    layout = feature_layout(body)
    terms = terms_of(task.sentence, vocabulary(layout))
    kept = _together(layout, terms)
    left_out = [term.name for term in terms if term not in kept]
    without = f", without {', '.join(left_out)}" if left_out else ""
    return RewardText(NAME, source(kept), f"{len(kept)} of {len(terms)} terms of the library{without}")


def _together(layout: FeatureLayout, terms: list[LibraryTerm]) -> list[LibraryTerm]:
    """Return the terms that the sandbox takes in one program; tasks that admit the same terms share the answer.

    Raises:
        MovlrError: it refuses them for another reason than their number.
    """
    key = layout.fingerprint(), source(terms)
    if key not in _taken:
        kept = list(terms)
        with Prover(layout) as prover:
            while not (verdict := prover.prove(source(kept), NAME).verdict).trusted:
                if verdict.stage != _TOO_LARGE or len(kept) == 1:
                    raise MovlrError(f"The sandbox refuses all terms at once. {verdict.reason}")
                kept.remove(dispensable(kept))
        _taken[key] = kept
    return _taken[key]


def dispensable(terms: Sequence[LibraryTerm]) -> LibraryTerm:
    """Return the term to leave out first: of those whose every fault another one acts against, the one that reads most of the body."""
    counts = Counter(kind for term in terms for kind in term.fixes)
    spare = [term for term in terms if all(counts[kind] > 1 for kind in term.fixes)]
    return max(spare or terms, key=lambda term: (len(term.needs), len(term.expression)))


def work(task: Task, body: str) -> Work:
    """Return the work of the program on a task and body; one that says why there is none."""
    try:
        text = found(task, task.load(body))
    except MovlrError as error:
        return Work(None, NAME, task, body, str(error))
    return Work(text, NAME, task, body)
