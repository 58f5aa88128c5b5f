"""Write the manifest of a model that `movlr morphologies fetch` downloads, from a folder that is known to be good.

    python tools/make_manifest.py FOLDER --scenes scene.xml --bodies NAME --licence Apache-2.0 --repository URL --commit ID

`--add` appends the folder as a further layout to the manifest that is there; `--hash` says which files are hashed, by suffix.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from movlr_jax.morphologies import manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", help="the folder's name upstream; its own by default")
    parser.add_argument("--scenes", nargs="+", required=True)
    parser.add_argument("--hash", nargs="*", default=manifest.MODEL_SUFFIXES, metavar="SUFFIX")
    parser.add_argument("--add", action="store_true")
    parser.add_argument("--bodies", nargs="+", default=[])
    parser.add_argument("--licence", default="")
    parser.add_argument("--repository", default="")
    parser.add_argument("--commit", default="")
    asked = parser.parse_args()
    layout = manifest.survey(asked.folder, asked.scenes)
    layout["files"] = {name: sha for name, sha in layout["files"].items() if Path(name).suffix in asked.hash}
    path = manifest.FOLDER / f"{asked.name or asked.folder.name}.json"
    if asked.add:
        record = json.loads(path.read_text(encoding="utf-8"))
        record["layouts"].append(layout)
    else:
        record = {
            "bodies": asked.bodies,
            "licence": asked.licence,
            "repository": asked.repository,
            "commit": asked.commit,
            "layouts": [layout],
        }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {len(layout['files'])} hashes, {layout['scenes']}")


if __name__ == "__main__":
    main()
