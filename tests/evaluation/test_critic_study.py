"""Critics on trial over recorded motions of a real body: the offline critic, and models over the real protocol that are scripted to be
right, to follow the order, and to guess."""

import hashlib
import json
import re
import shutil

import pytest
from support import led_walks
from support.openai_server import OpenAIServer
from support.random_clip import RandomModel

import movlr_jax as movlr
from movlr_jax import atomic
from movlr_jax.cli.main import main
from movlr_jax.critics import facts_text
from movlr_jax.critics.attachments import Show
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import archives, critic_study
from movlr_jax.evaluation.known_pairs import KINDS
from movlr_jax.evaluation.measured_motions import MeasuredMotions
from movlr_jax.llm.config import ModelsConfig

WORDS = Show(clip="nothing")  # measurements alone: nothing is drawn
OFFLINE = movlr.CriticTrialConfig(pairs=1, critiques=1)


@pytest.fixture(scope="module")
def archive(myolegs, tmp_path_factory):
    """Two walks of one reward that stay up, and one that falls."""
    made = [led_walks.led(myolegs), led_walks.led(myolegs, speed=0.72), led_walks.led(myolegs, falls_from=2.0)]
    return led_walks.saved(tmp_path_factory.mktemp("archive") / "walks", made)


@pytest.fixture(scope="module")
def offline(archive, tmp_path_factory):
    """The offline critic's trial, whose measurements the other trials use."""
    return movlr.judge_critics([archive], OFFLINE, out=tmp_path_factory.mktemp("trial"))


@pytest.fixture
def out(offline, tmp_path):
    """A folder with everything measured and nothing asked."""
    shutil.copytree(offline.folder / "facts", tmp_path / "out" / "facts")
    return tmp_path / "out"


def config(url, **more):
    models = ModelsConfig(critic_url=url, critic_model="tiny", retries=0)
    return movlr.CriticTrialConfig(**{"critics": ("openai",), "pairs": 1, "critiques": 0, "show": WORDS, "models": models} | more)


def words_of(body):
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


class Oracle:
    """Knows every pair by what is told of its sides."""

    def __init__(self, study):
        measured = MeasuredMotions(study.folder, WORDS)
        self.better = {}
        for pair in study.pairs:
            sides = [measured.evidence(side, filmed=False) for side in (pair.a, pair.b)]
            texts = [facts_text.facts(side.facts, seeds=side.facts.seeds) for side in sides]
            self.better[texts[0], texts[1]] = pair.better
            self.better.setdefault((texts[1], texts[0]), {"a": "b", "b": "a", "tie": "tie"}[pair.better])

    def __call__(self, body):
        text = words_of(body)
        first, second = text.split("Motion A", 1)[1].split("Motion B", 1)
        found = [better for (one, other), better in self.better.items() if _told(one) in _told(first) and _told(other) in _told(second)]
        return json.dumps({"winner": found[0] if found else "tie", "reason": "I was told."})


def _told(text):
    """Return what of some facts every way of telling them has: the lines of metrics, in their order."""
    return "|".join(line.split(":", 1)[1].strip() for line in text.splitlines() if re.match(r"\s*(metrics|seed \d+.*|asked for):", line))


def guess(body):
    return json.dumps({"winner": "ab"[hashlib.sha256(words_of(body).encode()).digest()[0] % 2], "reason": "I guess."})


def first(body):
    return json.dumps({"winner": "a", "reason": "I like the first."})


def test_the_motions_make_pairs_of_every_kind_that_they_allow(offline):
    kinds = {pair.kind for pair in offline.pairs}
    assert kinds == set(KINDS) - {"symmetry", "touchdowns", "knee_flexion", "stance"}
    assert {pair.better for pair in offline.pairs if not KINDS[pair.kind].tie} <= {"a", "b"}
    for pair in offline.pairs:
        record = json.loads((offline.folder / "pairs" / f"{pair.key}.json").read_text())
        assert record["better"] == pair.better and record["why"] and record["answers"]["offline"]["settled"] in ("a", "b", "tie")


def test_the_offline_critic_sees_the_gross_faults_and_no_order(offline):
    (marks,) = offline.marks
    for kind in ("fall", "more_falls", "until_fall", "backward", "slow", "short_way", "turned"):
        assert marks.kinds[kind].settled.share == 1.0, kind
    assert marks.kinds["same"].ties.share == 1.0 and marks.kinds["mirrored"].ties.share == 1.0
    assert marks.whole.flips.hits == 0 and marks.spent.calls == 0
    naming = marks.naming
    assert naming.recall["fall"].share == naming.recall["backward"].share == naming.recall["turned"].share == 1.0
    assert naming.critiques.hits == 0 and naming.successes.hits == 0


def test_the_files_say_what_the_study_says(offline):
    document = json.loads((offline.folder / "judge_critic.json").read_text())
    assert document["critics"][0]["by_kind"]["fall"]["agreement"]["share"] == 1.0 and document["stopped"] == ""
    assert document["sources"] == [{"name": "walks", "task": "walk_flat", "morphology": "myolegs", "motions": 3}]
    text = (offline.folder / "judge_critic.md").read_text()
    assert "| offline | fall: one fell, the other did not | 100 (" in text and "How the order is known" in text
    assert (offline.folder / "judge_critic.png").stat().st_size > 10_000
    (row,) = [json.loads(line) for line in (offline.folder / "metrics.jsonl").read_text().splitlines()]
    assert row["offline/kinds/fall"] == 1.0 and row["images"] == {"judge_critic": "judge_critic.png"}
    assert "all that have to tie" in str(offline)


def test_the_same_call_measures_nothing_again_and_says_the_same(archive, offline, out, monkeypatch):
    monkeypatch.setattr(MeasuredMotions, "_measure", lambda self, motion: pytest.fail("measured again"))
    again = movlr.judge_critics([archive], OFFLINE, out=out)
    assert [pair.document() for pair in again.pairs] == [pair.document() for pair in offline.pairs]
    assert again.marks[0].kinds == offline.marks[0].kinds


def test_an_oracle_is_always_right(archive, offline, out):
    with OpenAIServer(Oracle(offline)) as server:
        study = movlr.judge_critics([archive], config(server.url), out=out)
    (marks,) = study.marks
    assert marks.ordered.agreement.share == marks.tied.ties.share == 1.0 and marks.whole.flips.hits == 0
    assert marks.spent.calls == len(server.asked) > len(study.pairs) and marks.spent.tokens_in > 0


def test_a_model_that_likes_the_first_is_found_out(archive, out):
    with OpenAIServer(first) as server:
        (marks,) = movlr.judge_critics([archive], config(server.url), out=out).marks
    assert marks.whole.flips.share == marks.whole.first.share == 1.0
    assert marks.ordered.agreement.share == 0.5 and marks.ordered.settled.hits == 0 and marks.tied.ties.hits == 0


def test_a_guess_is_right_half_of_the_time_and_agrees_with_nobody(archive, offline, out):
    with OpenAIServer(guess) as server:
        study = movlr.judge_critics([archive], config(server.url, critics=("offline", "openai")), out=out)
        calls = len(server.asked)
        again = movlr.judge_critics([archive], config(server.url, critics=("offline", "openai")), out=out)
        assert len(server.asked) == calls  # what was answered is neither asked nor paid for again
    marks = study.marks[1]
    low, high = marks.ordered.agreement.interval
    assert low < 0.5 < high and again.marks[1].kinds == marks.kinds and again.marks[1].spent == marks.spent
    ((one, other, kappa),) = study.kappas
    assert (one, other, kappa.of) == ("offline", "openai", len(study.pairs)) and kappa.low < 0.4
    replayed = movlr.judge_critics([archive], config("", critics=("openai",)), out=out.parent / "again", replay=out)
    assert replayed.marks[0].kinds == marks.kinds and replayed.marks[0].spent.calls == 0 < replayed.marks[0].spent.reused


def test_a_budget_stops_the_trial_and_a_larger_one_goes_on(archive, out, capsys):
    words = ["judge-critic", str(archive), "--critics", "openai", "--pairs", "1", "--critiques", "0", "--kinds", "fall", "same", "backward"]
    with OpenAIServer(first) as server:
        words += ["--models.critic-url", server.url, "--models.critic-model", "tiny", "--show.clip", "nothing", "--out", str(out)]
        assert main([*words, "--max-calls", "3"]) == 0
        said = capsys.readouterr().out
        assert "The budget of 3 model calls is spent: the same command, with a larger one, goes on." in said
        assert len(server.asked) == 3 and len(list((out / "pairs").glob("*.json"))) == 3
        assert main([*words, "--max-calls", "9", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["stopped"] == "" and document["critics"][0]["flips"]["of"] == 3
        assert len(server.asked) == 5  # the two orders of a motion against itself are one request


def test_an_answer_that_cannot_be_used_is_no_answer(archive, out):
    with OpenAIServer("I would rather not say.") as server:
        study = movlr.judge_critics([archive], config(server.url, kinds=("fall",), critiques=1), out=out)
    (marks,) = study.marks
    assert marks.whole.unanswered == 1 and marks.ordered.agreement.of == 0 and marks.naming.unanswered == 2
    assert "gave no usable answer to 3 requests" in str(study)


@pytest.mark.gl
def test_a_model_is_shown_films_and_clip_scores_pictures(archive, out, monkeypatch):
    monkeypatch.setattr(critic_study, "TransformersEncoder", lambda weights: RandomModel())
    asked = []

    def look(body):
        asked.append(sum(part["type"] == "image_url" for part in body["messages"][-1]["content"]))
        return first(body)

    shown = Show(clip="frames", frames=2, width=128, facts=False)
    clip = movlr.CriticTrialConfig().clip.__class__(weights="random", fps=1.0)
    with OpenAIServer(look) as server:
        more = {"critics": ("clip", "openai"), "kinds": ("backward", "same"), "show": shown, "clip": clip}
        study = movlr.judge_critics([archive], config(server.url, **more), out=out)
    assert asked == [4, 4, 4] and len(list((out / "clips").glob("*.mp4"))) == 3
    by_clip, by_model = study.marks
    assert by_clip.kinds["same"].ties.share == 1.0 and by_clip.whole.flips.hits == 0 and by_clip.naming is None
    assert by_model.whole.flips.hits == 2.0


def test_an_evaluations_figures_are_enough_where_nothing_is_looked_at(offline, tmp_path):
    sound = {"seconds": 4.0, "fell": False, "diverged": False, "distance_m": 3.0, "lateral_drift_m": 0.1, "heading_error_rad": 0.05}
    sound |= {"mean_speed_mps": 0.75, "effort": 0.05, "step_time_symmetry": 0.97, "stance_symmetry": 0.96, "stance_share": 0.6}
    sound |= {"touchdowns_per_stride": 1.1, "knee_correlation": 0.9, "knee_swing_flexion_deg": 55.0, "fall_time_s": None}
    limps = sound | {"step_time_symmetry": 0.5, "distance_m": 2.95}
    fell = sound | {"fell": True, "fall_time_s": 2.0, "seconds": 2.0, "distance_m": 1.0}
    episodes = [{"seed": seed, **record} for seed, record in enumerate((sound, limps, fell))]
    row = {"reward": "human", "task": "walk_flat", "morphology": "myolegs", "goal_speed_mps": 0.8, "seconds": 4.0, "episodes": episodes}
    atomic.write_json(tmp_path / "eval" / "eval.json", {"rows": [row]})
    study = movlr.judge_critics([tmp_path], movlr.CriticTrialConfig(kinds=("fall", "symmetry", "seed_order")), out=tmp_path / "out")
    (pair,) = [pair for pair in study.pairs if pair.kind == "symmetry"]
    assert "0.96 against 0.5, where people have 1" in pair.why and pair.measured["symmetry"]["margin"] == 0.2
    assert study.marks[0].kinds["symmetry"].settled.share == study.marks[0].kinds["fall"].settled.share == 1.0
    with pytest.raises(MovlrError, match="figures alone"):
        movlr.judge_critics([tmp_path], config("http://localhost:1/v1", show=Show()), out=tmp_path / "other")


def test_equal_motions_count_once_and_what_is_no_episode_is_left_out(archive, tmp_path):
    shutil.copytree(archive, tmp_path / "a")
    shutil.copytree(archive, tmp_path / "b")
    (tmp_path / "b" / "rollout_9.npz").write_bytes(b"torn")
    told = []
    found = archives.found([tmp_path], tell=told.append)
    assert [motion.source.split("/", 1)[1] for motion in found] == ["a/rollout.npz", "a/rollout_1.npz", "a/rollout_2.npz"]
    assert len(told) == 1 and "rollout_9.npz" in told[0] and len({motion.reward for motion in found}) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "No motions were named"),
        (["nowhere"], "nowhere holds no recorded motion"),
        (["{archive}", "--critics", "offlin"], "did you mean offline"),
        (["{archive}", "--critics", "offline", "offline"], "give each once"),
        (["{archive}", "--critics", "openai="], "names no model"),
        (["{archive}", "--critics", "clip"], "add --clip.weights"),
        (["{archive}", "--kinds", "backwrd"], "There is no kind of pair 'backwrd': did you mean backward"),
        (["{archive}", "--pairs", "0"], "pairs is 0: give 1 or more"),
        (["{archive}", "--critics", "gemini", "openai", "--models.critic-url", "http://localhost:9/v1"], "are two services"),
        (["{archive}", "--replay", "{archive}"], "holds no recorded calls"),
        (["{archive}/rollout.npz", "--kinds", "fall"], "allow no pair with a known order"),
    ],
)
def test_mistakes_are_one_sentence(words, says, archive, tmp_path, capsys):
    words = [word.format(archive=archive) for word in words]
    assert main(["judge-critic", *words, "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    sentences = [line for line in captured.err.splitlines() if line.startswith("movlr: ")]
    assert len(sentences) == 1 and says in sentences[0] and captured.out == "" and "Traceback" not in captured.err
