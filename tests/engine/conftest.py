"""The desk that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.engine.build import Desk

from .samples import make_desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)
