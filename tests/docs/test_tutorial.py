"""The tutorial runs from its first cell to its last, at a size that takes seconds; `make test-release` runs it whole."""

from __future__ import annotations

from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.ipynb"
TINY = "SECONDS = 0.06\nSEEDS = [0]\nITERATIONS = 1\nCANDIDATES = 8"


@pytest.mark.gl
def test_the_tutorial_runs(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    notebook = nbformat.read(TUTORIAL, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are made anew by whoever reads it"
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assert {line.partition(" = ")[0] for line in TINY.splitlines()} <= {line.partition(" = ")[0] for line in parameters.source.splitlines()}
    parameters.source = TINY
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "80 muscles" in printed and "iteration 1: score" in printed and "WEIGHTS = {" in printed and "without upright:" in printed
    shown = [output["data"] for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("video/mp4" in data.get("text/html", "") for data in shown)
    assert (tmp_path / "runs" / "walk_flat-0" / "summary.json").is_file()
