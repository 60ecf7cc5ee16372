"""Small data that walks the road in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surefoot.project import Project

SMALL = ["train.threads=1", "model.width=16", "model.depth=1", "split.protocol=holdout"]
"""Settings under which the whole road takes some seconds."""


def write_table(path: Path, num: int = 400, seed: int = 0) -> Path:
    """Sales that follow from size, colour and price, with some missing sizes."""
    generator = np.random.default_rng(seed)
    lines = ["size,colour,day,price,sold"]
    for _ in range(num):
        size, colour, price = generator.normal(), generator.choice(["red", "green", "blue"]), generator.gamma(2)
        sold = "yes" if size + 1.5 * (colour == "red") - 0.5 * price + 0.3 * generator.normal() > 0 else "no"
        written = "" if generator.random() < 0.05 else f"{size:.3f}"
        lines.append(f"{written},{colour},2024-{generator.integers(1, 13):02d}-{generator.integers(1, 29):02d},{price:.2f},{sold}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_project(folder: Path, num: int = 400) -> Project:
    return Project.init(str(write_table(folder / "sales.csv", num)), out=str(folder / "sales"), budget="smoke", question="Will it be sold?")
