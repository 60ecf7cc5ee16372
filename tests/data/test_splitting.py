"""Who goes where: quotas met to the item, nothing that belongs together is parted, and newcomers move nobody."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.splitting import CODES, fill_quotas, fill_time, join_time, make_folds, make_strata, make_time_folds, name_sets
from surefoot.data.units import Units, make_units

QUOTAS = {"train": 0.6, "val": 0.2, "test": 0.2}
LABELLED = st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.sampled_from("abcd")), st.integers(0, 2)), min_size=1, max_size=60)


def plain_units(strata) -> Units:
    """Every item its own unit."""
    return make_units([f"content {n}" for n in range(len(strata))], [None] * len(strata), np.asarray(strata), by_content=True)


def place(units: Units, quotas=QUOTAS, known=None, seed: int = 0) -> list[str]:
    """The set of each item."""
    sets = np.zeros(len(units), np.int8)
    for unit, name in (known or {}).items():
        sets[unit] = CODES[name]
    return name_sets(fill_quotas(units, quotas, sets, seed)[units.of]).tolist()


def name_units(units: Units) -> list[str]:
    return list(units.names(np.arange(len(units))))


def list_members(units: Units) -> list[np.ndarray]:
    return [np.flatnonzero(units.of == unit) for unit in range(len(units))]


def deal_folds(units: Units, inside, **how) -> dict[int, list[int]]:
    """Unit -> the folds in which it is val."""
    is_val = make_folds(units, np.isin(np.arange(len(units)), list(inside)), **how)
    assert not is_val[[unit for unit in range(len(units)) if unit not in inside]].any()
    return {unit: np.flatnonzero(is_val[unit]).tolist() for unit in inside}


# units


@given(LABELLED)
def test_equal_contents_and_groups_always_share_a_unit_and_nothing_else_does(drawn):
    contents, groups = [f"c{c}" for c, _, _ in drawn], [g for _, g, _ in drawn]
    units = make_units(contents, groups, np.asarray([label for _, _, label in drawn]), by_content=True)
    items = range(len(drawn))
    linked = {(i, j) for i in items for j in items if contents[i] == contents[j] or (groups[i] is not None and groups[i] == groups[j])}
    assert all(units.of[i] == units.of[j] for i, j in linked)
    for unit, members in enumerate(list_members(units)):  # within a unit, everything can be reached over links
        reached, ahead = {int(members[0])}, [int(members[0])]
        while ahead:
            at = ahead.pop()
            for other in items:
                if (at, other) in linked and other not in reached:
                    reached.add(other)
                    ahead.append(other)
        assert reached == set(members.tolist()), unit
    assert len(set(name_units(units))) == len(units) == len(units.first) == len(set(units.of.tolist()))


def test_contents_are_parted_only_on_request():
    strata = np.zeros(4, np.int64)
    together = make_units(["x", "x", "y", "x"], [None] * 4, strata, by_content=True)
    apart = make_units(["x", "x", "y", "x"], [None] * 4, strata, by_content=False)
    assert len(together) == 2
    assert len(apart) == len(set(name_units(apart))) == 4


def test_a_group_keeps_its_items_together_even_where_contents_may_part():
    units = make_units(["x", "x", "y", "z"], ["a", "b", "a", None], np.zeros(4, np.int64), by_content=False)
    assert [set(members.tolist()) for members in list_members(units)] == [{0, 2}, {1}, {3}]


def test_equals_that_may_part_leave_the_place_of_all_others_alone():
    contents = [f"c{n}" for n in range(40)]
    strata = np.zeros(41, np.int64)
    before = make_units(contents, [None] * 40, strata[:40], by_content=False)
    after = make_units(["c7", *contents], [None] * 41, strata, by_content=False)
    names = set(name_units(after))
    assert {f"{name}-0" for name in name_units(before)} <= names


# strata


def test_strata_are_classes():
    assert make_strata(np.array([[2.0], [0.0], [1.0]]), "multiclass").tolist() == [2, 0, 1]


def test_strata_of_labels_are_the_rarest_an_item_has():
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 1], [0, 0, 0]], float)  # the second label is the rarest, then the third
    strata = make_strata(targets, "multilabel")
    assert len({strata[0], strata[1], strata[2], strata[4]}) == 4
    assert strata[2] == strata[3]


def test_strata_of_amounts_are_deciles():
    strata = make_strata(np.random.default_rng(0).permutation(1000.0 + np.arange(1000)).reshape(-1, 1), "regression")
    assert Counter(strata.tolist()) == dict.fromkeys(range(10), 100)


@pytest.mark.parametrize("values", [np.zeros(50), np.repeat([0.0, 1.0], 25), np.arange(3.0), np.array([0.0] * 40 + [1e9] * 10)])
def test_strata_of_amounts_bear_ties_and_few_items(values):
    strata = make_strata(values.reshape(-1, 1), "regression")
    assert len(strata) == len(values)
    assert all(len(set(strata[values == value].tolist())) == 1 for value in values)


# quotas


@pytest.mark.parametrize("sizes", [(100, 100), (500, 50, 5), (10,) * 20])
def test_quotas_are_met_to_the_item_in_every_class(sizes):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    sets = np.asarray(place(plain_units(strata)))
    for stratum, size in enumerate(sizes):
        assert Counter(sets[strata == stratum].tolist()) == {"train": size * 3 // 5, "val": size // 5, "test": size // 5}


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (1 / 3, 1 / 3, 1 / 3)]),
    st.integers(0, 5),
)
def test_no_class_misses_its_quota_by_an_item_and_a_half(sizes, shares, seed):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    sets = np.asarray(place(plain_units(strata), dict(zip(QUOTAS, shares)), seed=seed))
    for stratum, size in enumerate(sizes):
        for name, share in zip(QUOTAS, shares):
            assert abs((sets[strata == stratum] == name).sum() - share * size) < 1.5


def test_small_classes_do_not_add_up_to_a_lopsided_whole():
    sets = Counter(place(plain_units(np.repeat(np.arange(100), 7))))
    assert abs(sets["val"] - sets["test"]) <= 5
    assert abs(sets["train"] - 420) <= 40


@given(LABELLED, st.integers(0, 3))
def test_equal_contents_and_groups_never_straddle_sets(drawn, seed):
    contents, groups = [f"c{c}" for c, _, _ in drawn], [g for _, g, _ in drawn]
    units = make_units(contents, groups, np.asarray([label for _, _, label in drawn]), by_content=True)
    sets = place(units, seed=seed)
    by_content, by_group = {}, {}
    for content, group, name in zip(contents, groups, sets):
        assert by_content.setdefault(content, name) == name
        if group is not None:
            assert by_group.setdefault(group, name) == name


def test_groups_of_many_sizes_still_come_near_their_quotas():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), rng.integers(1, 12, 200))
    units = make_units([f"c{n}" for n in range(len(groups))], [str(g) for g in groups], np.zeros(len(groups), np.int64), by_content=True)
    sets = Counter(place(units))
    for name, share in QUOTAS.items():
        assert abs(sets[name] / len(groups) - share) < 0.02


@pytest.mark.parametrize("groups", [3, 4, 5, 6])
def test_few_large_groups_leave_no_set_empty(groups):
    of = np.repeat(np.arange(groups), 100)
    units = make_units([f"c{n}" for n in range(len(of))], [f"g{g}" for g in of], np.zeros(len(of), np.int64), by_content=True)
    for seed in range(5):
        assert set(place(units, seed=seed)) == set(QUOTAS)


@given(st.permutations(range(40)), st.integers(0, 3))
def test_the_order_of_the_items_changes_nothing(order, seed):
    contents = [f"content {n % 33}" for n in range(40)]
    strata = np.arange(40) % 33 % 3
    before = dict(zip(contents, place(make_units(contents, [None] * 40, strata, by_content=True), seed=seed)))
    moved = [contents[n] for n in order]
    after = dict(zip(moved, place(make_units(moved, [None] * 40, strata[list(order)], by_content=True), seed=seed)))
    assert after == before


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 3))
def test_newcomers_move_nobody_and_fill_what_lacks(first, later, seed):
    strata = np.arange(first + later) % 3
    before = place(plain_units(strata[:first]), seed=seed)
    units = plain_units(strata)
    known = {int(units.of[item]): name for item, name in enumerate(before)}
    after = place(units, known=known, seed=seed)
    assert after[:first] == before
    for stratum in range(3):
        count = Counter(name for name, s in zip(after, strata) if s == stratum)
        total = sum(count.values())
        assert all(abs(count[name] - share * total) < 1.5 for name, share in QUOTAS.items())


def test_the_seed_makes_another_split():
    units = plain_units(np.zeros(100, np.int64))
    assert place(units, seed=0) == place(units, seed=0) != place(units, seed=1)


def test_known_units_of_a_set_without_a_quota_stay_there():
    units = plain_units(np.zeros(10, np.int64))
    sets = place(units, {"train": 0.75, "val": 0.25}, {0: "test", 1: "train_dev"})
    assert (sets[0], sets[1]) == ("test", "train_dev")
    assert Counter(sets) == {"train": 6, "val": 2, "test": 1, "train_dev": 1}


# time


def test_a_time_split_trains_on_the_past_and_tests_on_the_latest():
    times = np.random.default_rng(0).permutation(1000).astype(float)
    sets = name_sets(fill_time(times, QUOTAS))
    assert Counter(sets.tolist()) == {"train": 600, "val": 200, "test": 200}
    assert times[sets == "train"].max() < times[sets == "val"].min()
    assert times[sets == "val"].max() < times[sets == "test"].min()


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80))
def test_a_time_split_keeps_moments_whole_and_order_right(times):
    times = np.asarray(times, float)
    sets = name_sets(fill_time(times, QUOTAS))
    ranks = np.asarray([list(QUOTAS).index(name) for name in sets])
    assert all(len(set(ranks[times == moment].tolist())) == 1 for moment in times)
    order = np.argsort(times, kind="stable")
    assert (np.diff(ranks[order]) >= 0).all()
    assert len(set(sets.tolist())) == min(3, len(set(times.tolist())))  # no set is empty as long as there are moments for it


def test_a_time_split_leaves_out_what_has_no_quota():
    assert Counter(name_sets(fill_time(np.arange(100.0), {"train": 0.75, "val": 0.25})).tolist()) == {"train": 75, "val": 25}


# folds


@given(LABELLED.filter(lambda drawn: len({c for c, _, _ in drawn}) > 3), st.integers(2, 5), st.integers(1, 3))
def test_folds_partition_the_units_in_every_iteration(drawn, folds, iterations):
    units = make_units([f"c{c}" for c, _, _ in drawn], [None] * len(drawn), np.asarray([label for _, _, label in drawn]), by_content=True)
    inside = set(range(len(units))) - {0}
    val_folds = deal_folds(units, inside, folds=folds, iterations=iterations, seed=0)
    assert set(val_folds) == inside
    for numbers in val_folds.values():
        assert [number // folds for number in numbers] == list(range(iterations))  # once in each iteration


@pytest.mark.parametrize("sizes", [(50, 50), (90, 10), (35, 35, 35)])
def test_folds_hold_their_share_of_every_class(sizes):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    units = plain_units(strata)
    val_folds = deal_folds(units, set(range(len(strata))), folds=5, iterations=1, seed=0)
    fold_of = np.asarray([val_folds[int(unit)][0] for unit in units.of])
    for stratum, size in enumerate(sizes):
        assert Counter(fold_of[strata == stratum].tolist()) == dict.fromkeys(range(5), size // 5)


def test_folds_of_odd_numbers_differ_by_an_item_at_most():
    strata = np.repeat([0, 1, 2], [11, 8, 4])
    val_folds = deal_folds(plain_units(strata), set(range(23)), folds=5, iterations=1, seed=0)
    sizes = Counter(numbers[0] for numbers in val_folds.values())
    assert sorted(sizes.values()) == [4, 4, 5, 5, 5]


def test_iterated_folds_deal_anew_each_time():
    units = plain_units(np.zeros(50, np.int64))
    val_folds = deal_folds(units, set(range(50)), folds=5, iterations=3, seed=0)
    dealt = [[numbers[i] % 5 for _, numbers in sorted(val_folds.items())] for i in range(3)]
    assert dealt[0] != dealt[1] != dealt[2] != dealt[0]


def test_folds_do_not_depend_on_the_order_of_the_items():
    contents = [f"content {n}" for n in range(30)]
    forwards = make_units(contents, [None] * 30, np.zeros(30, np.int64), by_content=True)
    backwards = make_units(contents[::-1], [None] * 30, np.zeros(30, np.int64), by_content=True)
    one = deal_folds(forwards, set(range(30)), folds=5, iterations=2, seed=3)
    other = deal_folds(backwards, set(range(30)), folds=5, iterations=2, seed=3)
    names = name_units(forwards), name_units(backwards)
    assert {names[0][u]: folds for u, folds in one.items()} == {names[1][u]: folds for u, folds in other.items()}


# folds of time


def items_of(times, folds: int, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Times of the train and val items of a fold."""
    val_folds, used = make_time_folds(times, folds)
    is_val, is_used = val_folds[:, fold], used[:, fold]
    assert not (is_val & ~is_used).any()
    return times[is_used & ~is_val], times[is_val]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80), st.integers(2, 5))
def test_time_folds_only_look_back(drawn, folds):
    times = np.asarray(drawn, float)
    enough = len(set(drawn)) > folds
    for fold in range(folds):
        train, val = items_of(times, folds, fold)
        if enough:
            assert len(train) > 0
            assert len(val) > 0
            assert train.max() < val.min()
        elif len(train) and len(val):
            assert train.max() <= val.min()


def test_time_folds_grow_by_equal_blocks():
    times = np.random.default_rng(0).permutation(60).astype(float)
    for fold in range(5):
        train, val = items_of(times, 5, fold)
        assert sorted(train.tolist()) == list(range(10 * (fold + 1)))
        assert sorted(val.tolist()) == list(range(10 * (fold + 1), 10 * (fold + 2)))


def test_each_item_is_val_once_but_for_the_oldest():
    val_folds, _ = make_time_folds(np.arange(60.0), 5)
    assert val_folds.sum(1).tolist() == [0] * 10 + [1] * 50


def test_newcomers_of_a_time_split_join_the_set_of_their_time():
    times = np.asarray([1.0, 2.0, 3.0, 4.0, 0.5, 2.5, 3.5, 9.0])
    sets = np.asarray([CODES[name] for name in ("train", "train", "val", "test", "", "", "", "")], np.int8)
    assert name_sets(join_time(times, sets)).tolist() == ["train", "train", "val", "test", "train", "train", "val", "test"]


def test_near_duplicates_stay_together_unless_equals_may_part():
    strata = np.zeros(4, np.int64)
    near = ["n", None, "n", None]
    together = make_units(list("wxyz"), [None] * 4, strata, by_content=True, near=near)
    assert together.of[0] == together.of[2] != together.of[1]
    apart = make_units(list("wxyz"), [None] * 4, strata, by_content=False, near=near)
    assert len(set(apart.of.tolist())) == 4
