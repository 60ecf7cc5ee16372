"""Surefoot: deep learning, one sure step at a time.

    import surefoot as sf
    project = sf.Project("flowers")
    project.run(to="diagnose")

    pack = sf.open_pack("photos.pack")      # what `surefoot pack photos/ --out photos.pack` made

Importing this imports nothing heavy: `Project` and `open_pack` are fetched when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surefoot.data.pack_folder import open_pack as open_pack
    from surefoot.project import Project as Project

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "open_pack"]


def __getattr__(name: str) -> Any:
    if name == "Project":
        return importlib.import_module("surefoot.project").Project
    if name == "open_pack":
        return importlib.import_module("surefoot.data.pack_folder").open_pack
    raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
