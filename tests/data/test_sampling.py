"""Who is drawn in which epoch, and how often."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.sampling import draw_balanced, draw_order


def test_every_item_is_drawn_once_and_each_epoch_has_an_order_of_its_own():
    orders = [draw_order(50, seed=0, name="run", epoch=epoch) for epoch in (0, 1, 0)]
    assert sorted(orders[0]) == list(range(50))
    assert not np.array_equal(orders[0], orders[1])
    assert np.array_equal(orders[0], orders[2])


@given(st.lists(st.integers(0, 3), min_size=4, max_size=60).filter(lambda labels: len(set(labels)) > 1))
def test_balanced_sampling_draws_every_class_alike_and_no_item_twice_before_all_of_its_class_were_once(drawn):
    labels = np.asarray(drawn)
    order = draw_balanced(labels, seed=0, name="run", epoch=0)
    assert len(order) == len(labels)
    counts = np.unique(labels[order], return_counts=True)[1]
    assert counts.max() - counts.min() <= 1
    for label in set(drawn):
        times = np.bincount(order, minlength=len(labels))[labels == label]
        assert times.max() - times.min() <= 1
