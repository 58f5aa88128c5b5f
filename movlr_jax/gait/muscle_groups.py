"""Muscles by their names: which muscles of a body are the soleus, the vasti and the others that published on-times speak of.

Bodies name muscles as OpenSim's models do ("soleus_r", "vas_int_l"), with the side at the end or at the start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from movlr_jax.gait.norms import ON_TIMES
from movlr_jax.rewards.layout import SIDES, FeatureLayout

# Group -> how names of its muscles begin, without the side, in lower case and without underscores.
NAMES: dict[str, tuple[str, ...]] = {
    "tibialis anterior": ("tibant", "tibialisanterior"),
    "soleus": ("soleus",),
    "gastrocnemius": ("gasmed", "gaslat", "medgas", "latgas", "gastroc"),
    "tibialis posterior": ("tibpost", "tibialisposterior"),
    "vasti": ("vas",),
    "rectus femoris": ("recfem", "rectfem", "rectusfem"),
    "biceps femoris": ("bflh", "bfsh", "bifem"),
    "semitendinosus": ("semiten",),
    "gluteus maximus": ("glmax", "glutmax"),
    "gluteus medius": ("glmed", "glutmed"),
    "iliopsoas": ("iliacus", "psoas", "psl"),
}
assert NAMES.keys() == ON_TIMES.keys()
_SIDE = {side: re.compile(rf"^{side[0]}_|_{side[0]}$|_{side}$", re.IGNORECASE) for side in SIDES}


def muscle_groups(layout: FeatureLayout) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
    """Return side -> group -> indices of its muscles; a group of which a side has no muscle is left out."""
    out: dict[str, dict[str, tuple[int, ...]]] = {}
    for side in SIDES:
        own = {i: _SIDE[side].sub("", name) for i, name in enumerate(layout.muscles) if _SIDE[side].search(name)}
        plain = {i: name.lower().replace("_", "") for i, name in own.items()}
        found = {group: tuple(i for i, name in plain.items() if name.startswith(starts)) for group, starts in NAMES.items()}
        out[side] = {group: members for group, members in found.items() if members}
    return out
