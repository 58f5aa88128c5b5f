"""What a block leaves in cycles is freed at its end, and Python's collector is left as it was."""

import gc
import threading
import time
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


def call():
    worlds = Worlds()
    kept_by_a_frame(worlds)
    return weakref.ref(worlds)


@pytest.mark.parametrize("enabled", [True, False])
def test_cycles_of_a_block_are_freed_at_its_end(enabled):
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


def test_a_collection_that_another_thread_is_in_the_middle_of_is_waited_for():
    """A finalizer that waits without the interpreter's lock keeps the collector busy, and `gc.collect` then does nothing."""
    collecting = threading.Event()

    class Slow:
        def __del__(self):
            collecting.set()
            time.sleep(0.2)

    def collects():
        slow = Slow()
        slow.itself = slow
        del slow
        gc.collect()

    gc.collect()  # what other tests left, whose own finalizers may take long
    other = threading.Thread(target=collects)
    other.start()
    assert collecting.wait(10)
    with reference_cycles.freed():
        worlds = call()
        gc.collect(0)
        assert worlds() is not None  # else this test shows nothing
    assert worlds() is None
    other.join()


def test_blocks_of_two_threads_leave_the_collector_off_until_the_last_has_ended():
    inside, may_end = threading.Event(), threading.Event()

    def block():
        with reference_cycles.freed():
            inside.set()
            may_end.wait(10)

    other = threading.Thread(target=block)
    was = gc.isenabled()
    gc.enable()
    try:
        other.start()
        assert inside.wait(10)
        with reference_cycles.freed():
            worlds = call()
        assert worlds() is None and not gc.isenabled()
        may_end.set()
        other.join()
        assert gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()
