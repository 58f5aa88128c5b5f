"""The package's own reward programs, and which texts they are: those alone are compiled without a jail.

Flows in: the name of a file in `programs/`. Flows out: its text, from behind its first docstring, which is for people. The files are read
and never imported. A text is the package's own by itself, never by what a file, a folder or a caller says of it: the hashes below are
those of all files; `python tools/packaged_rewards.py` writes them anew after a text was changed, and a test compares.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from importlib import resources

# SHA-256 of each text.
_OWN = frozenset(
    {
        "0a11ee0f7355401633e22021998eecf13397ebf8f512c168cf0c563f00ff4a7c",
        "11dc6c500106d2550bb4da8e6109ded40a38ed44c22c5f43124d216d00e10c5d",
        "133e8851c0f46d5bd6310e81cfbe2c150e9c21cc6ada4deadc1edc7916d0a12f",
        "21f0f36f8d1a6aed9601a92887563af0ef51666d33ed731da5dd0b2c12ff8c3d",
        "29c4435dc2c501a184a5c9ce32d984dcf797c0f4c35a291b7ef9dc04761d8fc1",
        "324a29297df59bbc1ce30903e24073eda0a336d60a9884ad05811f2bc47bf815",
        "339695aacc372e6f73fe0288db55d80c1cda7b395de751b264111887221e071d",
        "36b8d2c5869bb599a96198c37a4248911973c4c2638244c0eb20780a0f8f317c",
        "49523b02662752b358a1b9789e7d7bce068e1cba0d997360681141e39e04b765",
        "4d35c8e4b67fa49b372790fbf48a2307071f8b8f68238d629f291b5f1fc11e2c",
        "52ef6974b17700790274841a5f2fcc6de829bb0f3101f79808b18009727893e7",
        "743dc8c829d10d25d734852ecbadf5ae4da83dd4d3d3e48f72c8048b6737c9e2",
        "89470ac61d68eab86dd4efab94e8403ec2cc62c0e4a26a39ec7aeb15754b9750",
        "8c885795756799eb80450ee90c40e97ae22b043f2cd6c0e8d9296708e1e1297c",
        "a8749b9adeb03b11a77793b3f4a2e493e0ccdb08cacacd7424aeab2c6bc51e31",
        "aabe9eeb711fd525cbc1784d0187ec220e02f5e4714e62c8056ce33b602b8527",
        "f94243078cf43ab98503c804fb9bea0164cb5e44646d6de415c12212dc0fa437",
    }
)


_FOLDER = resources.files("movlr_jax.rewards") / "programs"


def names() -> list[str]:
    """Return the names of all programs."""
    return sorted(file.name.removesuffix(".py") for file in _FOLDER.iterdir() if file.name.endswith(".py"))


@functools.cache
def text(name: str) -> str:
    """Return the text of a program."""
    whole = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
    end = ast.parse(whole).body[0].end_lineno  # of the docstring
    return "".join(whole.splitlines(keepends=True)[end:]).lstrip("\n")


def texts(**programs: str) -> dict[str, str]:
    """Return a task's rewards: its own name for each -> the text of the program that is named."""
    return {reward: text(name) for reward, name in programs.items()}


def sha256(source: str) -> str:
    """Return the hash of a text."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def is_own(source: str) -> bool:
    """Return whether a text is one of this package's, letter by letter."""
    return sha256(source) in _OWN
