"""The offline critic's judgement of several hundred motions is what it was when they were written down, word by word.

`PYTHONPATH=tests python tests/critics/test_critic_cases.py` writes it down anew, for a change of judgement that is meant.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

from support.critic_cases import cases

from movlr_jax.critics.base import Evidence
from movlr_jax.critics.body_rules import GAIT
from movlr_jax.critics.offline import OfflineCritic, score
from movlr_jax.facts import Facts

WRITTEN = Path(__file__).parents[1] / "data" / "critiques.json"


def judged() -> dict[str, Any]:
    """Return for each motion its score, its faults with their severities, a hash of the whole critique, and whom it wins against."""
    critic, found, motions = OfflineCritic(), {}, {name: Facts.read(record) for name, record in cases().items()}
    for name, motion in motions.items():
        critique = critic.critique(None, motion)
        whole = hashlib.sha256(critique.model_dump_json().encode()).hexdigest()[:16]
        faults = " ".join(f"{fault.kind}:{fault.severity:g}" for fault in critique.faults)
        found[name] = f"{score(motion):g} {'success' if critique.success else 'failure'} {faults} {whole}"
    for (one, first), (other, second) in itertools.pairwise(motions.items()):
        preference = critic.compare(Evidence(first), Evidence(second))
        found[f"{one} / {other}"] = f"{preference.winner} {preference.reason}"
    return found


def test_every_judgement_is_as_it_was():
    written, now = json.loads(WRITTEN.read_text()), judged()
    assert len(written) > 500 and written.keys() == now.keys()
    assert {name: (written[name], now[name]) for name in now if written[name] != now[name]} == {}


def test_the_cases_show_every_fault_of_the_offline_critic():
    kinds = {fault.split(":")[0] for said in judged().values() for fault in said.split() if ":" in fault}
    some = {"unwanted", "stiff_knee", "not_held", "foot_off_ground", "collapse", "drop"}
    assert len(kinds) >= 56 and some | {rule.kind for rule in GAIT} <= kinds


if __name__ == "__main__":
    WRITTEN.write_text(json.dumps(judged(), indent=1) + "\n")
