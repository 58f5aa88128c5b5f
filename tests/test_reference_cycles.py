"""What a block leaves in cycles is freed at its end, and Python's collector is left as it was."""

import gc
import weakref

import pytest

from movlr_jax import reference_cycles


class Worlds:
    """Stands for a simulator: what must not live on."""


def kept_by_a_frame(worlds):
    """Keep an exception in the frame that it holds, and with that frame every caller's variables."""
    try:
        raise TypeError
    except TypeError as error:
        kept = error
    return kept is None


@pytest.mark.parametrize("enabled", [True, False])
def test_cycles_of_a_block_are_freed_at_its_end(enabled):
    def call():
        worlds = Worlds()
        kept_by_a_frame(worlds)
        return weakref.ref(worlds)

    was = gc.isenabled()
    gc.disable()
    try:
        assert call()() is not None  # else this test shows nothing
        if enabled:
            gc.enable()
        with reference_cycles.freed():
            assert not gc.isenabled()
            worlds = call()
        assert worlds() is None and gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
