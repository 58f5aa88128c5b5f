"""Writes the hashes of the package's own reward programs into movlr_jax/rewards/packaged.py; run it after one was changed.

python tools/packaged_rewards.py
"""

from __future__ import annotations

import re
from pathlib import Path

from movlr_jax.rewards import packaged


def main() -> None:
    hashes = sorted({packaged.sha256(packaged.text(name)) for name in packaged.names()})
    file = Path(packaged.__file__)
    lines = "".join(f'        "{value}",\n' for value in hashes)
    text = re.sub(
        r"_OWN = frozenset\(\n    \{\n.*?    \}\n\)", lambda _: f"_OWN = frozenset(\n    {{\n{lines}    }}\n)", file.read_text(), flags=re.S
    )
    file.write_text(text, encoding="utf-8")
    print(f"{len(hashes)} texts")


if __name__ == "__main__":
    main()
