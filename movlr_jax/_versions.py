"""Refuses mismatched MuJoCo and MJX at import.

MJX follows the C engine of its own version: with C MuJoCo 4.0 under MJX 3.17, muscle lengths differ by up to 0.3 m and nothing
says so. The check reads installed metadata only, so that it costs no import of either package.
"""

from importlib.metadata import PackageNotFoundError, version


def installed(package: str) -> str | None:
    """Return the version of an installed package, None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_versions() -> None:
    """Raise ImportError, in one sentence, unless mujoco and mujoco-mjx are installed at one and the same version."""
    versions = {name: installed(name) for name in ("mujoco", "mujoco-mjx")}
    if None in versions.values():
        # The jail's interpreter sees packages by path without their metadata being guaranteed; absence is pip's to report.
        return
    if versions["mujoco"] != versions["mujoco-mjx"]:
        raise ImportError(
            f"mujoco {versions['mujoco']} and mujoco-mjx {versions['mujoco-mjx']} do not match, which silently gives wrong muscle "
            f"lengths: run `pip install mujoco=={versions['mujoco-mjx']} mujoco-mjx=={versions['mujoco-mjx']}`."
        )
