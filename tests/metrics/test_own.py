"""A metric that a user brings is known by its name in the settings, whatever it calls itself."""

from __future__ import annotations

from surefoot import metrics


def test_a_users_own_metric_has_its_name_in_the_settings(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from surefoot.metrics import Metric\n"
        "def hits(targets, outputs):\n    return 0.5\n"
        "gain = Metric('other', 'Gain', True, lambda t, o, threshold=0.5: 1.0)\n"
    )
    assert [metrics.get(name, tmp_path).name for name in ("mine:hits", "mine:gain")] == ["mine:hits", "mine:gain"]
    assert metrics.evaluate([metrics.get("mine:hits", tmp_path)], [0], [0]) == {"mine:hits": 0.5}
