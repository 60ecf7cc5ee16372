"""Surefoot: deep learning, one sure step at a time.

    import surefoot as sf
    project = sf.Project("flowers")
    project.run(to="diagnose")

Importing this imports nothing heavy: `Project` is fetched when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surefoot.project import Project as Project

__version__ = "0.1.0"
__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Project":
        return importlib.import_module("surefoot.project").Project
    raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
