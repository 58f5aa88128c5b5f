"""CLIP on torch: the real library, with a small random model."""

import contextlib
import dataclasses
import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: run make test-models")
pytest.importorskip("transformers", reason="needs transformers: run make test-models")

import tiny  # noqa: E402

from movlr_jax import searches  # noqa: E402
from movlr_jax.control.planners import MPPI  # noqa: E402
from movlr_jax.errors import MovlrError  # noqa: E402
from movlr_jax.searches import RunConfig  # noqa: E402
from movlr_jax.vision import score  # noqa: E402
from movlr_jax.vision.config import ClipConfig  # noqa: E402
from movlr_jax.vision.encoder import TransformersEncoder  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    tiny.clip_model(folder)
    return folder


def test_scores_are_those_of_the_librarys_own_forward_pass(weights):
    from transformers import CLIPModel, CLIPProcessor

    frames = np.random.default_rng(0).integers(0, 256, (40, 60, 80, 3), dtype=np.uint8)  # more than one batch
    encoder = TransformersEncoder(str(weights))
    found = score.goal_baseline(encoder.pictures(frames), encoder.sentences(["kneeling"]), np.zeros((0, 8)), 0.0)
    model = CLIPModel.from_pretrained(weights).eval()
    inputs = CLIPProcessor.from_pretrained(weights)(text=["kneeling"], images=list(frames), return_tensors="pt", padding=True)
    with torch.no_grad():
        cosine = (model(**inputs).logits_per_image[:, 0] / model.logit_scale.exp()).numpy()
    np.testing.assert_allclose(found, cosine, atol=1e-5)


def test_weights_that_are_not_there_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MovlrError, match="no folder of CLIP weights"):
        TransformersEncoder(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MovlrError, match="cannot be loaded"):
        TransformersEncoder(str(tmp_path / "empty"))


class Planted:
    """What a pickle may call when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_weights_that_are_a_program_are_not_run(weights, tmp_path):
    planted, folder = tmp_path / "planted", tmp_path / "theirs"
    shutil.copytree(weights, folder)
    for path in folder.glob("*.safetensors"):
        path.unlink()
    torch.save({"logit_scale": Planted(planted)}, folder / "pytorch_model.bin")
    with pytest.raises(MovlrError, match="cannot be loaded"):
        TransformersEncoder(str(folder))
    assert not planted.exists()


def test_a_program_beside_the_weights_is_not_run(weights, tmp_path):
    planted, folder = tmp_path / "planted", tmp_path / "theirs"
    shutil.copytree(weights, folder)
    text = f"open({str(planted)!r}, 'w').close()\nfrom transformers import CLIPModel as Model, CLIPConfig as Config\n"
    (folder / "theirs.py").write_text(text)
    for name in ("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer_config.json"):
        if (folder / name).exists():
            known = json.loads((folder / name).read_text())
            auto = {f"Auto{kind}": f"theirs.{what}" for kind, what in (("Model", "Model"), ("Config", "Config"), ("Processor", "Model"))}
            (folder / name).write_text(json.dumps({**known, "auto_map": auto}))
    with contextlib.suppress(MovlrError):
        TransformersEncoder(str(folder))
    assert not planted.exists()


@pytest.mark.gl
def test_a_whole_run_of_vlm_rm(weights, tmp_path):
    config = RunConfig(
        task="free",
        goal="Raise the left knee.",
        method="vlm-rm",
        start_reward="pose",
        iterations=2,
        seconds=0.1,
        planner=MPPI(candidates=8, elites=2, instant=2, horizon=0.08),
        clip=ClipConfig(weights=str(weights), fps=20.0),
    )
    result = searches.run(dataclasses.replace(config, out=tmp_path / "run"))
    facts = json.loads((tmp_path / "run" / "iterations" / "000" / "facts.json").read_text())
    assert len(result.rows) == 3 and facts["clip"]["weights"] == str(weights) and facts["clip"]["score"] == result.rows[0].score
