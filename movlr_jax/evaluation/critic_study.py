"""A trial of critics in a folder: pairs of motions with a known order, what critics say of them, and how far that is to be trusted.

In: archives, the words for critics, how many pairs. Out: a CriticStudy; in the folder pairs/ (a record a pair, with every critic's
answers), critiques/, judge_critic.json, judge_critic.md and judge_critic.png, and what made them: facts/, clips/, calls/. The same call
goes on where it was stopped: what was measured, filmed or answered is not measured, filmed or paid for again.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movlr_jax import atomic, folders
from movlr_jax._versions import installed
from movlr_jax.errors import MovlrError, did_you_mean, require
from movlr_jax.evaluation import archives, critic_trial, known_pairs
from movlr_jax.evaluation.agreement import Kappa, Share
from movlr_jax.evaluation.archives import Recorded
from movlr_jax.evaluation.critic_marks import Marks, Naming, Tally
from movlr_jax.evaluation.critic_trial import Answer, Judged, Juror
from movlr_jax.evaluation.episode_store import key_of
from movlr_jax.evaluation.known_pairs import KINDS, KnownPair
from movlr_jax.evaluation.measured_motions import MeasuredMotions, Motion
from movlr_jax.llm import ledger
from movlr_jax.llm.base import ModelFault
from movlr_jax.llm.gateway import Gateway
from movlr_jax.media import agreement_figure, metrics_table, tables
from movlr_jax.media.agreement_figure import Bar
from movlr_jax.processes import alone
from movlr_jax.runs.critic_trial_config import CriticTrialConfig
from movlr_jax.tracking import open_trackers
from movlr_jax.vision.encoder import TransformersEncoder

NAME = "judge_critic"
PAIRS, CRITIQUES = "pairs", "critiques"
_HEADINGS = ("answers right [%]", "settled right", "tie", "wrong", "order decides")
_LOCK = ".lock"
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class CriticStudy:
    """What came of a trial; printed, it is a table.

    Attributes:
        marks: one a critic.
        pairs: what they were shown.
        kappas: (two critics, how far they agree beyond chance), of every two.
        motions: what the pairs were made of.
        config: how they were tried.
        folder: where it stands.
        stopped: why not all was asked; "": all was.
    """

    marks: tuple[Marks, ...]
    pairs: tuple[KnownPair, ...]
    kappas: tuple[tuple[str, str, Kappa], ...]
    motions: tuple[Recorded, ...]
    config: CriticTrialConfig
    folder: Path
    stopped: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        counts: dict[tuple[str, str, str], int] = {}
        for motion in self.motions:
            what = motion.source.split("/")[0], motion.task.name, motion.morphology
            counts[what] = counts.get(what, 0) + 1
        return {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine(),
            "versions": {name: installed(name) for name in ("movlr-jax", "mujoco", "jax", "numpy")},
            "seed": self.config.seed,
            "shown": dataclasses.asdict(self.config.show),
            "sources": [{"name": n, "task": t, "morphology": m, "motions": c} for (n, t, m), c in counts.items()],
            "kinds": {
                kind: {
                    "what": KINDS[kind].what,
                    "pairs": sum(pair.kind == kind for pair in self.pairs),
                    "has_to_tie": KINDS[kind].tie,
                    "faults": list(KINDS[kind].faults),
                    "not_physical": KINDS[kind].not_physical,
                }
                for kind in dict.fromkeys(pair.kind for pair in self.pairs)
            },
            "critics": [marks.document() for marks in self.marks],
            "kappas": [{"critics": [one, other], **dataclasses.asdict(kappa)} for one, other, kappa in self.kappas],
            "stopped": self.stopped,
        }

    def table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return headings, cells (a row a critic and kind, and its sums), and remarks."""
        cells = []
        for marks in self.marks:
            for kind, tally in marks.kinds.items():
                cells.append([marks.word, f"{kind}: {KINDS[kind].what}", *_cells(tally)])
            for label, tally in (("all in which one is better", marks.ordered), ("all that have to tie", marks.tied)):
                cells += [[marks.word, label, *_cells(tally)]] if tally.flips.of else []
        return ["critic", "pairs", *_HEADINGS], cells, self.remarks()

    def faults(self) -> tuple[list[str], list[list[str]]]:
        """Return the table of named faults: a row a kind, a column a critic."""
        named = [marks for marks in self.marks if marks.naming is not None]
        kinds = [kind for kind in (*KINDS, "all") if any(kind in m.naming.recall for m in named if m.naming is not None)]
        cells = [[kind, *(m.naming.recall[kind].words() if m.naming and kind in m.naming.recall else "-" for m in named)] for kind in kinds]
        rows = (
            ("critiques with a fault that is ruled out", lambda naming: naming.critiques.words()),
            ("called a success although it is none", lambda naming: naming.successes.words()),
        )
        cells += [[label, *(words(m.naming) for m in named)] for label, words in rows if named]
        return ["fault named [%]", *(m.word for m in named)], cells

    def parts(self) -> tuple[list[str], list[list[str]]]:
        """Return the table by part of the body: a row a critic and part, of the pairs in which one motion is better."""
        cells = [[marks.word, part, *_cells(tally)] for marks in self.marks for part, tally in marks.parts.items()]
        return ["critic", "part of the body", *_HEADINGS], cells

    def remarks(self) -> list[str]:
        """Say what the tables do not."""
        out = []
        for marks in self.marks:
            flips, first = marks.whole.flips, marks.whole.first
            if flips.hits:
                where = f", the one shown first in {first.hits:.0f} of {first.of}"
                out.append(f"{marks.word}: the better one followed the order in {flips.hits:.0f} of {flips.of} pairs{where}.")
            if marks.naming is not None:
                alarms = [f"{k} ({s.hits:.0f} of {s.of})" for k, s in marks.naming.false_alarms.items() if s.hits]
                out += [f"{marks.word} named what physics rules out: {', '.join(alarms)}."] if alarms else []
            missing = marks.whole.unanswered + (marks.naming.unanswered if marks.naming else 0)
            out += [f"{marks.word} gave no usable answer to {missing} requests."] if missing else []
            spent = marks.spent
            if spent.calls or spent.reused:
                price = f"{spent.usd:.4f} USD" + (f", {spent.unpriced} calls of unknown price" if spent.unpriced else "")
                tokens = f"{spent.tokens_in} tokens in, {spent.tokens_out} out"
                out.append(f"{marks.word}: {spent.calls} calls, {spent.reused} reused, {tokens}, {price}, {spent.seconds:.0f} s.")
        for one, other, kappa in self.kappas:
            if kappa.kappa is None:
                out.append(f"{one} and {other}: no kappa (one word alone was used, or nothing was judged by both).")
            else:
                out.append(
                    f"{one} and {other}: Cohen's kappa {kappa.kappa:.2f} ({kappa.low:.2f} to {kappa.high:.2f}) over {kappa.of} pairs."
                )
        absent = [kind for kind in (self.config.kinds or KINDS) if not any(pair.kind == kind for pair in self.pairs)]
        out += [f"The motions allow no pair of: {', '.join(absent)}."] if absent else []
        return [*out, *([self.stopped] if self.stopped else [])]

    def save(self) -> dict[str, Any]:
        """Write judge_critic.json, judge_critic.md and judge_critic.png, and return the document as it stands there."""
        document: dict[str, Any] = atomic.write_json(self.folder / f"{NAME}.json", self.document())
        headings, cells, remarks = self.table()
        parts = [f"# Critics against physics\n\n{tables.markdown(headings, cells, remarks)}"]
        parts.append(f"## By part of the body\n\n{tables.markdown(*self.parts())}")
        named, faults = self.faults()
        parts += [f"## Faults that are known, named\n\n{tables.markdown(named, faults)}"] if faults else []
        known = [[kind, KINDS[kind].what, KINDS[kind].why, KINDS[kind].not_physical or "-"] for kind in document["kinds"]]
        parts.append(f"## How the order is known\n\n{tables.markdown(['kind', 'what', 'why', 'not physical'], known)}")
        atomic.write_text(self.folder / f"{NAME}.md", "\n".join(parts))
        if any(tally.mark.of for marks in self.marks for tally in marks.kinds.values()):
            self.draw(self.folder / f"{NAME}.png")
        return document

    def draw(self, path: Path) -> Path:
        """Draw the marks by kind, and return the picture's path."""
        groups = []
        for label, tie in (("one motion is better: answers that name it", False), ("neither is better: answers that say so", True)):
            rows: dict[str, dict[str, Bar]] = {}
            for kind in KINDS:
                if KINDS[kind].tie is tie:
                    bars = {m.word: _bar(m.kinds[kind].mark) for m in self.marks if kind in m.kinds and m.kinds[kind].mark.of}
                    rows |= {kind.replace("_", " "): bars} if bars else {}
            sums = {m.word: _bar(share) for m in self.marks if (share := m.whole.ties if tie else m.whole.agreement).of}
            groups.append((label, rows | ({"all": sums} if len(rows) > 1 else {})))
        words = [marks.word for marks in self.marks]
        return agreement_figure.draw(groups, words, path, title="Critics against physics, with intervals of 95 %", coin="a coin")

    def scalars(self) -> dict[str, float]:
        """Return the numbers that a tracker is told, by critic."""
        out: dict[str, float] = {}
        for marks in self.marks:
            whole = marks.whole
            shares: dict[str, Share] = {"agreement": whole.agreement, "settled": whole.settled, "ties": whole.ties, "flips": whole.flips}
            shares |= {f"kinds/{kind}": tally.mark for kind, tally in marks.kinds.items()}
            if marks.naming is not None:
                shares |= {"recall": marks.naming.recall["all"], "false_alarms": marks.naming.critiques}
            out |= {f"{marks.word}/{name}": share.share for name, share in shares.items() if share.share is not None}
            out |= {f"{marks.word}/calls": float(marks.spent.calls), f"{marks.word}/usd": marks.spent.usd}
        return out | {f"kappa/{one}/{other}": k.kappa for one, other, k in self.kappas if k.kappa is not None}

    def __str__(self) -> str:
        headings, cells, remarks = self.table()
        return "\n".join([metrics_table.aligned(headings, cells), *remarks])


def _cells(tally: Tally) -> list[str]:
    """Return the cells of pairs of one sort: in all one motion is better, or all have to tie."""
    flips, of = f"{tally.flips.hits:.0f} of {tally.flips.of}", tally.settled.of
    if not of:
        return [tally.mark.words(), "-", "-", "-", flips]
    right, wrong = tally.settled.hits, tally.wrong.hits
    return [tally.mark.words(), f"{right:.0f}", f"{of - right - wrong:.0f}", f"{wrong:.0f}", flips]


def _bar(share: Share) -> Bar:
    low, high = share.interval
    assert share.share is not None
    return Bar(share.share, low, high, f"{100 * share.share:.0f} % of {share.of}")


def machine() -> str:
    """Return what the machine is, without what names it."""
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine().replace('_', '-')}"


def run(
    motions: Sequence[Recorded],
    config: CriticTrialConfig,
    folder: Path,
    *,
    replay: Path | None = None,
    tell: Tell = lambda sentence: None,
) -> CriticStudy:
    """Try critics on motions, and save what comes of it.

    Args:
        motions: what pairs are made of.
        config: how.
        folder: for everything.
        replay: the folder of an earlier trial, whose recorded answers are used, and no model is asked.
        tell: is told how it goes.

    Raises:
        MovlrError: a critic cannot be asked, the motions allow no pair, or the folder holds what none of these does, such as a link.
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folders.admit(folder)  # it may come from someone else, and is gone on with
    with alone(folder / _LOCK, f"Another process is trying critics in {folder}: wait for it, or end it first."):
        return _run(motions, config, folder, replay, tell)


def _run(motions: Sequence[Recorded], config: CriticTrialConfig, folder: Path, replay: Path | None, tell: Tell) -> CriticStudy:
    for kind in config.kinds:
        if kind not in KINDS:
            raise MovlrError(f"There is no kind of pair '{kind}': {did_you_mean(kind, KINDS)}known are {', '.join(KINDS)}.")
    if replay is not None and not (replay / ledger.FOLDER).is_dir():
        raise MovlrError(f"{replay} holds no recorded calls: give the folder of an earlier movlr judge-critic that asked a model.")
    gateway = Gateway.open(
        folder / ledger.FOLDER,
        config.models,
        max_calls=config.max_calls,
        max_cost=config.max_cost,
        replay=None if replay is None else replay / ledger.FOLDER,
        tell=tell,
    )
    jurors = critic_trial.jurors(config.critics, config.models, config.show, gateway)
    scored = any(juror.scored for juror in jurors)
    if scored and not config.clip.weights:
        raise MovlrError("The critic clip needs CLIP: add --clip.weights openai/clip-vit-base-patch32, or a folder.")
    encoder = TransformersEncoder(config.clip.weights) if scored else None
    measured = MeasuredMotions(folder, config.show, encoder, config.clip)
    if any(juror.filmed or juror.scored for juror in jurors):
        motions = [motion for motion in motions if motion.body is not None]  # figures alone cannot be looked at
        require((bool(motions), "There is no recorded motion to look at, but figures alone: give folders of movlr run or movlr rollout."))
    pairs = known_pairs.pairs(motions, measured, config.pairs, config.seed, config.kinds or tuple(KINDS), tell)
    if not pairs:
        raise MovlrError("These motions allow no pair with a known order: give more of them, of one task and body.")
    trial = _Trial(pairs, critic_trial.to_criticise(pairs, config.critiques), measured, jurors, folder, tell)
    stopped: ModelFault | None = None
    try:
        trial.run()
    except ModelFault as fault:
        stopped = fault
    finally:
        trial.save()
    study = _studied(trial, gateway, motions, config, folder, "" if stopped is None else _stopped(stopped))
    study.save()
    _track(study, tell)
    if stopped is not None and stopped.kind != "stopped":
        raise stopped
    return study


def _stopped(fault: ModelFault) -> str:
    sentence = str(fault).rstrip(".")
    return f"{sentence}: the same command{', with a larger one,' if fault.kind == 'stopped' else ''} goes on."


class _Trial:
    """What is said, as it comes."""

    def __init__(
        self,
        pairs: Sequence[KnownPair],
        motions: Mapping[str, tuple[Motion, KnownPair | None]],
        measured: MeasuredMotions,
        jurors: Sequence[Juror],
        folder: Path,
        tell: Tell,
    ):
        self.pairs, self.motions, self.measured, self.jurors = pairs, motions, measured, jurors
        self._folder, self._tell = folder, tell
        self.answers: dict[str, dict[str, Answer]] = {juror.word: {} for juror in jurors}
        self.critiques: dict[str, dict[str, Judged]] = {juror.word: {} for juror in jurors if juror.criticises}

    def run(self) -> None:
        """Ask every critic everything; each pair's record is written as soon as a critic has answered it.

        Raises:
            ModelFault: a model cannot be asked, or the budget is spent.
        """
        for juror in self.jurors:
            for number, pair in enumerate(self.pairs, 1):
                self.answers[juror.word][pair.key] = critic_trial.ask(juror, pair, self.measured)
                self._save_pair(pair)
                if juror.filmed or number == len(self.pairs):
                    self._tell(f"{juror.word}: {number} of {len(self.pairs)} pairs")
            for number, (key, (motion, _)) in enumerate(self.motions.items() if juror.criticises else (), 1):
                self.critiques[juror.word][key] = critic_trial.judge(juror, motion, self.measured)
                self._save_critique(key)
                if juror.filmed or number == len(self.motions):
                    self._tell(f"{juror.word}: {number} of {len(self.motions)} critiques")

    def save(self) -> None:
        """Write the records of pairs that no critic has answered too: what there is to be asked."""
        for pair in self.pairs:
            if not any(pair.key in said for said in self.answers.values()):
                self._save_pair(pair)

    def _save_pair(self, pair: KnownPair) -> None:
        said = {word: answers[pair.key].document() for word, answers in self.answers.items() if pair.key in answers}
        atomic.write_json(self._folder / PAIRS / f"{pair.key}.json", {**pair.document(), "answers": said})

    def _save_critique(self, key: str) -> None:
        motion, pair = self.motions[key]
        said = {word: judged[key].document() for word, judged in self.critiques.items() if key in judged}
        known = [] if pair is None else list(KINDS[pair.kind].faults)
        record = {"motion": motion.words(), "kind": None if pair is None else pair.kind, "faults": known, "critiques": said}
        atomic.write_json(self._folder / CRITIQUES / f"{key}.json", record)


def _studied(
    trial: _Trial, gateway: Gateway, motions: Sequence[Recorded], config: CriticTrialConfig, folder: Path, stopped: str
) -> CriticStudy:
    """Return what came of a trial, whole or not."""
    marks = []
    for juror in trial.jurors:
        answers, said = trial.answers[juror.word], trial.critiques.get(juror.word, {})
        naming = Naming.of(trial.motions, said, trial.measured.facts) if said else None
        seconds = sum(answer.seconds for answer in answers.values()) + sum(judged.seconds for judged in said.values())
        spent = juror.spent(gateway)
        marks.append(Marks.of(juror.word, juror.model, trial.pairs, answers, naming, spent, seconds))
    kappas = []
    for one, other in itertools.combinations(trial.jurors, 2):
        ours, theirs = (trial.answers[juror.word] for juror in (one, other))
        both = [pair.key for pair in trial.pairs if pair.key in ours and pair.key in theirs]
        words = [(ours[key].settled, theirs[key].settled) for key in both]
        known = [(a, b) for a, b in words if a is not None and b is not None]
        kappas.append((one.word, other.word, Kappa.between([a for a, _ in known], [b for _, b in known])))
    return CriticStudy(tuple(marks), tuple(trial.pairs), tuple(kappas), tuple(motions), config, folder, stopped)


def _track(study: CriticStudy, tell: Tell) -> None:
    """Tell the trackers: metrics.jsonl, and Weights & Biases where that is asked for."""
    config = study.config
    keys = sorted(pair.key for pair in study.pairs)
    run_id = f"judge-critic-{key_of({'pairs': keys, 'critics': config.critics})[:8]}"
    trackers = open_trackers(config.tracking, study.folder, config.project, f"judge-critic {' '.join(config.critics)}", tell)
    plain = {k: v for k, v in dataclasses.asdict(config).items() if k not in ("models", "clip", "show")}
    picture = study.folder / f"{NAME}.png"
    for tracker in trackers:
        tracker.start(plain, run_id)
        tracker.log(0, study.scalars(), {NAME: picture} if picture.exists() else {}, {})
        tracker.finish()


def judge_critics(
    sources: Sequence[Path],
    config: CriticTrialConfig,
    folder: Path,
    *,
    task: str | None = None,
    morphology: str | None = None,
    injury: Sequence[str] = (),
    replay: Path | None = None,
    tell: Tell = lambda sentence: None,
) -> CriticStudy:
    """Try critics on the motions of archives; `movlr judge-critic`.

    Args:
        sources: folders of runs, rollouts and evaluations, or episodes.
        config: how.
        folder: for everything.
        task, morphology, injury: of episodes beside which nothing says so.
        replay: as `run`.
        tell: is told how it goes.

    Raises:
        MovlrError: as `archives.found` and `run`.
    """
    folders.require_writable(folder)
    motions = archives.found(sources, task, morphology, injury, tell)
    tell(f"{len(motions)} recorded motions")
    return run(motions, config, folder, replay=replay, tell=tell)
