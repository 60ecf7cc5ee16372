"""A request that can be pasted into a terminal: a typical row, or a picture of one's own."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from surefoot.data.typical import make_example


def write_arguments(recipe: Mapping[str, Any]) -> str:
    """What stands behind `curl -s URL/predict`; quoted for a shell."""
    if recipe["kind"] == "image":
        return "--data-binary @picture.jpg"
    return f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(make_example(recipe), ensure_ascii=False))}"
