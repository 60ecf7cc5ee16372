"""What s06 costs on a small CNN: the digits as pictures, the usual net of 32 channels, as many threads as are measured to be fastest."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from surefoot.project import Project

TIMES = 3


def measure_cost() -> dict[str, object]:
    """Seconds of s06, several times anew; at most 20 are asked for on two cores."""
    seconds = []
    for _ in range(TIMES):
        folder = Path(tempfile.mkdtemp(prefix="sanity-cost-"))
        try:
            project = Project.init("sklearn:digits", out=str(folder / "digits"), budget="smoke")
            views = project.run(to="sanity", set=["model.width=32", "model.depth=2"])
            seconds.append(round(views[-1].seconds, 1))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {"median": statistics.median(seconds), "seconds": seconds}
