"""Who is drawn in which epoch, and how often."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.sampling import draw_balanced, draw_grouped, draw_order


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


@given(st.lists(st.integers(0, 4), min_size=2, max_size=200), st.integers(1, 20), st.integers(0, 5))
def test_grouped_sampling_draws_each_item_once_and_spreads_every_group_over_the_batches(drawn, num_batches, epoch):
    groups = np.asarray(drawn)
    order = draw_grouped(groups, seed=0, name="run", epoch=epoch)
    assert sorted(order) == list(range(len(groups)))
    assert np.array_equal(order, draw_grouped(groups, seed=0, name="run", epoch=epoch))
    for group in set(drawn):
        at = np.flatnonzero(groups[order] == group)
        if len(at) > 1:  # between two of a group lie about as many others as between any two of it
            assert np.diff(at).max() <= 2 * len(groups) / len(at) + len(set(drawn))


def test_grouped_sampling_has_an_order_for_each_epoch_and_no_batch_of_one_group():
    groups = np.repeat([0, 1, 2], [800, 150, 50])
    orders = [draw_grouped(groups, seed=0, name="run", epoch=epoch) for epoch in (0, 1)]
    assert not np.array_equal(*orders)
    for order in orders:
        for batch in np.split(order, 20):
            assert abs((groups[batch] == 0).sum() - 40) <= 2
            assert abs((groups[batch] == 1).sum() - 7.5) <= 2
