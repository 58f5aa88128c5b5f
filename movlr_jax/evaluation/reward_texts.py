"""Which reward a word stands for, and how it becomes one that may run: a task's own, a file, or a run's folder (its best).

In: a word from the command line or a configuration, a task, a body. Out: the text with where it came from, and the compiled reward. Only
texts of this package are compiled in this process; every other goes through the sandbox, for each body anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from movlr_jax import atomic, folders
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies import Morphology
from movlr_jax.rewards import packaged, typeset
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.runs import records
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.sandbox.proof import Proof
from movlr_jax.sandbox.prove import Prover
from movlr_jax.tasks import Task

MOST = 1 << 20  # bytes of a reward file


class Unfit(MovlrError):
    """A reward that a body cannot take: it asks for what the body lacks, or the sandbox refuses it there."""


@dataclass(frozen=True)
class RewardText:
    """A reward program's text as it was found: not proven for any body.

    Attributes:
        name: the word it was given as.
        source: the text.
        origin: where it came from, for people: "walk_flat", "walk_flat on myolegs, iteration 5", "a file".
    """

    name: str
    source: str
    origin: str = "a file"

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return packaged.sha256(self.source)

    @property
    def ours(self) -> bool:
        """Whether it is a text of this package, letter by letter, which is compiled without a jail."""
        return packaged.is_own(self.source)


def read(file: Path, *, typed: bool = True, tell: Callable[[str], None] | None = None) -> str:
    """Return the text of a reward file, in Python's own signs.

    Args:
        file: it.
        typed: whether the user named this very file, which may then be a link of their own, outside a run's folder.
        tell: is told which signs of it were read as others.

    Raises:
        MovlrError: there is no such file, or it is not text.
    """
    run = next((folder for folder in file.parents if (folder / "run.json").is_file() and (folder / "iterations").is_dir()), None)
    if run is not None:
        folders.admit(run)  # a run may come from someone else; a link anywhere else is the user's own
    try:
        found = typeset.cleaned(atomic.read_text(file, MOST, follow=typed and run is None))
        if tell is not None and found.changes:
            tell(found.sentence())
        return found.text
    except IsADirectoryError:
        raise MovlrError(f"{file} is a folder: name a reward file, for example {file / 'best' / 'reward.py'}.") from None
    except OSError as error:
        raise MovlrError(f"{file} cannot be read ({error.strerror}): name a reward file.") from None


def find(word: str, tasks: Iterable[Task]) -> RewardText:
    """Return the text that a word stands for.

    Args:
        word: a name of the tasks' rewards, a reward file, a run's folder (its best), or an iteration's.
        tasks: whose named rewards are meant; the first that has the name gives it.

    Raises:
        MovlrError: there is no such reward.
    """
    tasks = tuple(tasks)
    for task in tasks:
        if word in task.rewards:
            return RewardText(word, task.rewards[word], origin=task.name)
    path = Path(word)
    if path.is_dir():
        folder = _best_of(path)
        if not (folder / "reward.py").is_file():
            raise MovlrError(f"{word} holds no reward yet (no best/reward.py): let the run finish an iteration.")
        return RewardText(word, read(folder / "reward.py", typed=False), _origin(path, folder))
    if not path.is_file():
        known = list(dict.fromkeys(name for task in tasks for name in task.rewards))
        hint = did_you_mean(word, known)
        raise MovlrError(f"There is no reward '{word}': {hint}give one of {', '.join(known)}, a reward file, or a run's folder.")
    return RewardText(word, read(path))


def _best_of(path: Path) -> Path:
    """Return the folder whose reward a folder stands for: its best, by the link or, where a copy lost it, by the records."""
    if not (path / "iterations").is_dir() and not (path / "best").is_dir():
        return path
    folders.admit(path)
    if (path / "best" / "reward.py").is_file():
        return path / "best"
    best = RunFolder(path).best()
    return path if best is None else RunFolder(path).iteration(best).path


def home(word: str) -> tuple[str, str]:
    """Return the task and the body that a run's reward was found on; "" and "" where the word names no run that says so."""
    if not (Path(word) / "run.json").exists():
        return "", ""
    folders.admit(Path(word))
    try:
        header = records.read(Path(word) / "run.json")
        return str(header["task"]), str(header["morphology"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def goal_of(word: str, task: str) -> str:
    """Return the goal sentence that a run's reward was found for on a task; "" where the word names no run of that task with one."""
    if not task or home(word)[0] != task or not (file := Path(word) / "config.yaml").is_file():
        return ""
    return (RunConfig.load(file).goal or "").strip()


def _origin(run: Path, folder: Path) -> str:
    """Say which task, body and iteration a run's reward was found on; "a folder" where it does not say so itself."""
    task, body = home(str(run))
    if not task:
        return "a folder"
    seen = f"{task} on {body}"
    number = folder.resolve().name
    return f"{seen}, iteration {int(number)}" if number.isascii() and number.isdigit() else seen


def prove(
    source: str,
    name: str,
    morphology: Morphology,
    goal_speed: float,
    *,
    lying: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Proof:
    """Put a text through all gates of the sandbox for one body.

    Args:
        source: the text.
        name: for people.
        morphology: the body.
        goal_speed: what `m.goal.speed` says in the behaviour checks (m/s).
        lying: the task asks to lie down.
        tell: is told what is waited for.
    """
    if tell is not None:
        tell(f"making motions of {morphology.name} to try the reward on")
    motions = behaviour_motions.generate(morphology, goal_speed)
    # One text, so no spare jail is kept waiting for a second.
    with Prover(feature_layout(morphology), motions, spare=False, lying=lying, tell=tell) as prover:
        return prover.prove(source, name)


def compiled(text: RewardText, morphology: Morphology, goal_speed: float, *, lying: bool = False) -> Reward:
    """Return the reward of a text for one body.

    Args:
        text: what `find` returned.
        morphology: the body.
        goal_speed, lying: as `prove`.

    Raises:
        Unfit: the body lacks what the text asks for, or the sandbox refuses it.
    """
    if text.ours:
        try:
            return Reward.trusted(text.name, text.source, feature_layout(morphology))
        except MovlrError as error:
            raise Unfit(f"The reward {text.name} of {text.origin} does not fit {morphology.name}: {error.__cause__ or error}") from None
    proof = prove(text.source, text.name, morphology, goal_speed, lying=lying)
    if proof.reward is None:
        raise Unfit(f"The reward {text.name} is refused for {morphology.name}. {proof.verdict.reason}")
    return proof.reward
