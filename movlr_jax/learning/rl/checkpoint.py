"""Checkpoints: all of a training by Orbax, whole or not there at all; a kill in the middle leaves the one before.

In: a Training after some update. Out: checkpoints/UPDATE/, the newest few. What is restored is equal to what was saved, bit for bit.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from movlr_jax.errors import MovlrError

FOLDER = "checkpoints"
_MOST = 64 << 30  # bytes of all arrays of a checkpoint


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: the training's folder.
        keep: how many to keep, the newest; 0: all.
        read_only: whether they are only read, and nothing is written beside them.
    """

    def __init__(self, folder: Path, keep: int = 0, read_only: bool = False):
        import orbax.checkpoint as ocp

        logging.getLogger("absl").setLevel(logging.ERROR)
        self._ocp, self._path = ocp, (folder / FOLDER).resolve()
        options = ocp.CheckpointManagerOptions(
            max_to_keep=None if read_only else keep or None, enable_async_checkpointing=False, read_only=read_only
        )
        self._manager = ocp.CheckpointManager(self._path, options=options)

    def latest(self) -> int | None:
        """Return the newest checkpoint's update, None where there is none."""
        return self._manager.latest_step()

    def save(self, update: int, tree: Any) -> None:
        """Save a tree of arrays; one that is there already is left.

        Raises:
            MovlrError: the disk does not take it.
        """
        if update in self._manager.all_steps():
            return
        try:
            self._manager.save(update, args=self._ocp.args.StandardSave(_named(tree)))
            self._manager.wait_until_finished()
        except OSError as error:
            raise MovlrError(
                f"The checkpoint cannot be written ({error.strerror or error}): make room, then movlr train --resume."
            ) from None

    def restore(self, update: int, like: Any) -> Any:
        """Return the tree of a checkpoint.

        Args:
            update: which.
            like: a tree of its structure, shapes and types.

        Raises:
            MovlrError: it cannot be read, or is of another training.
        """
        wanted = _named(like)
        shapes = {name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, leaf in wanted.items()}
        try:
            self._refuse_huge(update)
            found = self._manager.restore(update, args=self._ocp.args.StandardRestore(shapes))
        # Orbax and TensorStore raise errors of many kinds of what is damaged.
        except Exception as error:
            why = " ".join(str(error).split())[:200]
            raise MovlrError(
                f"The checkpoint {self._path / str(update)} cannot be read ({why}): remove it to go on from the one before."
            ) from None
        return jax.tree.unflatten(jax.tree.structure(like), [np.asarray(found[name]) for name in wanted])

    def policy(self, update: int, init: Callable[[Any], Any]) -> tuple[Any, Any]:
        """Return the parameters and the statistics alone, for moving a body; the optimiser and the worlds are left on the disk.

        Args:
            update: which checkpoint.
            init: makes parameters and statistics of their structure from a key.

        Raises:
            MovlrError: it is not there, cannot be read, or is for another body.
        """
        if update not in self._manager.all_steps():
            there = ", ".join(map(str, self._manager.all_steps())) or "none"
            raise MovlrError(f"There is no checkpoint {update} in {self._path.name}/ (there are: {there}).")
        params, observed = jax.eval_shape(init, jax.ShapeDtypeStruct((2,), np.uint32))
        like = {"params": params, "observed": observed}
        try:
            self._refuse_huge(update)
            found = self._manager.restore(update, args=self._ocp.args.StandardRestore())
        except Exception as error:
            raise MovlrError(f"The checkpoint {update} cannot be read ({' '.join(str(error).split())[:200]}).") from None
        leaves = []
        for path, leaf in jax.tree_util.tree_leaves_with_path(like):
            name = f".{path[0].key}{jax.tree_util.keystr(path[1:])}"
            if name not in found or np.shape(found[name]) != leaf.shape:
                raise MovlrError("The policy was trained for a body or a task that shows it other things: name the one of its training.")
            leaves.append(np.asarray(found[name]))
        tree = jax.tree.unflatten(jax.tree.structure(like), leaves)
        return tree["params"], tree["observed"]

    def _refuse_huge(self, update: int) -> None:
        """Raise ValueError for a checkpoint whose arrays claim more than any training has; nothing of them is read."""
        described = self._ocp.StandardCheckpointer().metadata(self._path / str(update) / "default").item_metadata
        leaves = jax.tree.leaves(described.tree, is_leaf=lambda leaf: hasattr(leaf, "shape"))
        claimed = sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in leaves)
        if claimed > _MOST:
            raise ValueError(f"its arrays claim {claimed:.3g} bytes")

    def close(self) -> None:
        """Release what Orbax holds."""
        self._manager.close()


@contextlib.contextmanager
def opened(folder: Path, keep: int = 0, read_only: bool = False) -> Iterator[Checkpoints]:
    """Give the checkpoints of a folder for a while."""
    checkpoints = Checkpoints(folder, keep, read_only)
    try:
        yield checkpoints
    finally:
        checkpoints.close()


def _named(tree: Any) -> dict[str, Any]:
    """Return the leaves by names made of their paths, in the tree's order."""
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
