"""CLIP's two encoders, on transformers: sentences and pictures in, vectors out. Needs the extra `clip`.

Weights are named by one string: a folder on this machine, or a name on the hub. Nothing is fetched where the hub is switched off
(HF_HUB_OFFLINE=1). The string may stand in a configuration that someone else wrote: weights are read as numbers, and no code that lies
beside them is run, nor what a pickle would call.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from movlr_jax.errors import MovlrError

_BATCH = 32  # pictures a pass: ViT-bigG of them fit in 16 GB


class Encoder(Protocol):
    """What makes vectors of sentences and pictures.

    Attributes:
        name: the weights, for records.
    """

    name: str

    def sentences(self, sentences: Sequence[str]) -> Float[np.ndarray, "sentence d"]:
        """Return their vectors."""
        ...

    def pictures(self, frames: UInt8[np.ndarray, "picture height width 3"]) -> Float[np.ndarray, "picture d"]:
        """Return their vectors."""
        ...


class TransformersEncoder:
    """A CLIP model of the transformers library.

    Args:
        weights: a folder with a saved model and processor, or a name on the hub such as openai/clip-vit-base-patch32.

    Raises:
        MovlrError: the extra is not installed, or there are no such weights.
    """

    def __init__(self, weights: str):
        self.name = weights
        try:
            import torch
            from transformers import CLIPModel, CLIPProcessor
        except ImportError as error:
            raise MovlrError(f"CLIP needs {error.name}, which is not installed: pip install 'movlr-jax[clip]'.") from None
        local = Path(weights).expanduser()
        source: str | Path = local if local.is_dir() else weights
        if not local.is_dir() and (local.is_absolute() or weights.startswith((".", "~"))):
            raise MovlrError(f"There is no folder of CLIP weights at {weights}: give a folder, or a name on the hub.")
        self._torch: Any = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            plain = {"trust_remote_code": False}
            self._model: Any = CLIPModel.from_pretrained(source, weights_only=True, **plain).eval().to(self._device)
            self._processor: Any = CLIPProcessor.from_pretrained(source, **plain)
        except (OSError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
            reason = " ".join(str(error).split())[:160]
            raise MovlrError(
                f"The CLIP weights {weights} cannot be loaded ({reason}): give a folder that has them, or a name on a hub within reach."
            ) from None

    def sentences(self, sentences: Sequence[str]) -> Float[np.ndarray, "sentence d"]:
        """See Encoder."""
        inputs = self._processor(text=list(sentences), return_tensors="pt", padding=True, truncation=True)
        with self._quietly():
            features = self._model.get_text_features(**inputs.to(self._device))
        return _vectors(features)

    def pictures(self, frames: UInt8[np.ndarray, "picture height width 3"]) -> Float[np.ndarray, "picture d"]:
        """See Encoder."""
        parts = []
        for start in range(0, len(frames), _BATCH):
            inputs = self._processor(images=list(frames[start : start + _BATCH]), return_tensors="pt")
            with self._quietly():
                parts.append(_vectors(self._model.get_image_features(**inputs.to(self._device))))
        return np.concatenate(parts)

    @contextlib.contextmanager
    def _quietly(self) -> Any:
        with self._torch.inference_mode():
            yield


def _vectors(features: Any) -> np.ndarray:
    """Return the projected embeddings; transformers 5 wraps them in a record."""
    return np.asarray(getattr(features, "pooler_output", features).float().cpu())
