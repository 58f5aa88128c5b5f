"""Units as the names of numbers say them: `speed_mps` is a speed in m/s. Metrics, facts and goals are named so; this is the one place that
knows what an ending means, and what the few names without one stand for.
"""

from __future__ import annotations

GRAVITY = 9.81  # m/s^2, of formulas that know no model

# The first ending that fits counts.
_ENDINGS = {
    **{"_j_kg_m": "J/kg/m", "_mps": "m/s", "_rads": "rad/s", "_rad": "rad", "_deg": "deg", "_bw": "body weights", "_spm": "steps/min"},
    **{"_m": "m", "_s": "s"},
}
_SPREAD = "_sd"  # behind the unit: how far numbers spread
_NAMES = {"seconds": "s", "jerk": "m/s^3", "com_acceleration_rms": "m/s^2", "activation_rate_rms": "1/s"}


def split(name: str) -> tuple[str, str]:
    """Return a name in words, without its unit, and the unit; "" where it has none."""
    if name.endswith(_SPREAD):
        words, unit = split(name.removesuffix(_SPREAD))
        return f"{words} spread", unit
    for ending, unit in _ENDINGS.items():
        if name.endswith(ending) and name != ending[1:]:
            return name.removesuffix(ending).replace("_", " "), unit
    return name.replace("_", " "), _NAMES.get(name, "")


def of(name: str) -> str:
    """Return the unit of a named number; "" where it has none."""
    return split(name)[1]
