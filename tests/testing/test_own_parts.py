"""The examples of docs/own_parts.md pass the exam that they are said to pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from surefoot.testing.exams import examine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own_parts.md"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TinyNet", "model"),
        ("my_loss", "loss"),
        ("my_metric", "metric"),
        ("my_optimizer", "optimizer"),
        ("my_schedule", "schedule"),
        ("my_augmentation", "augmentation"),
        ("Frogs", "dataset"),
    ],
)
def test_each_example_of_the_docs_passes_its_exam(tmp_path: Path, name: str, kind: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "my_code.py").write_text("\n\n".join(blocks), encoding="utf-8")
    _, results = examine(f"my_code:{name}", kind=kind, folder=tmp_path)
    assert results
    assert not [f"{result.claim}: {result.saw}" for result in results if not result.ok]
