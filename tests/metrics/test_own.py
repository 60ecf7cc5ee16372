"""A metric that a user brings is known by its name in the settings, whatever it calls itself."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot import metrics
from surefoot.types.errors import UsageError


def test_a_users_own_metric_has_its_name_in_the_settings(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from surefoot.metrics import Metric\n"
        "def hits(targets, outputs):\n    return 0.5\n"
        "gain = Metric('other', 'Gain', True, lambda t, o, threshold=0.5: 1.0)\n"
    )
    assert [metrics.get(name, tmp_path).name for name in ("mine:hits", "mine:gain")] == ["mine:hits", "mine:gain"]
    assert metrics.evaluate([metrics.get("mine:hits", tmp_path)], [0], [0]) == {"mine:hits": 0.5}


@pytest.mark.parametrize(
    ("body", "given"),
    [("targets == outputs.argmax(1)", r"an array of shape \(3,\)"), ("None", "a NoneType"), ("{'hits': 1.0}", "a dict")],
)
def test_a_metric_that_gives_anything_but_one_number_is_told_in_three_parts(tmp_path, body, given):
    (tmp_path / "mine.py").write_text(f"def hits(targets, outputs):\n    return {body}\n")
    with pytest.raises(UsageError, match=f"The metric mine:hits returned {given}; one number is due") as told:
        metrics.get("mine:hits", tmp_path).score(np.zeros(3, int), np.eye(3))
    assert told.value.where == "metric = 'mine:hits'"
    assert "Return one number" in told.value.next


def test_a_metric_may_give_a_number_of_any_kind(tmp_path):
    (tmp_path / "mine.py").write_text("import numpy as np\nhits = lambda targets, outputs: np.ones((1, 1), np.float32)\ncount = lambda targets, outputs: 3\n")
    assert metrics.evaluate([metrics.get(f"mine:{name}", tmp_path) for name in ("hits", "count")], [0], [0]) == {"mine:hits": 1.0, "mine:count": 3.0}
