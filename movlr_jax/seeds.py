"""Where every random number of a run comes from: a key derived from names, never from the state of a process.

The scheme, which is part of a run's meaning:

* The writer of candidate k, attempt a, in iteration i of a run with seed r gets `derive(r, "write", i, k, a)`.
* The sampler that draws trial n of the weights of candidate k in iteration i gets `derive(r, "tune", i, k, n)`.
* The critic's order of presentation and any drawing it does gets `derive(r, "judge", i)`.
* The n-th further seed of near decisions is `derive(s0, "extra", *seeds, n)`, cut to 31 bits; s0 is the first of the run's seeds.
* An episode gets its own number from `seeds` as it stands (`--seeds 0 1 2`), the same for every reward: rewards are
  compared under common random numbers, and `movlr rollout --reward RUN --seeds 0` repeats the recorded episode bit for
  bit.

`derive` is SHA-256 over the JSON list of its arguments, cut to 63 bits: independent of Python's hash seed, of the
platform and of the order in which the parts are asked for.
"""

from __future__ import annotations

import hashlib
import json


def derive(seed: int, *path: str | int) -> int:
    """Return the 63-bit key of one use of randomness.

    Args:
        seed: the run's seed.
        path: the names and numbers that tell this use from every other, for example ("write", iteration, candidate,
            attempt).
    """
    digest = hashlib.sha256(json.dumps([seed, *path], separators=(",", ":")).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
