"""A split under way: disjoint, append-only, groups and near duplicates on one side, general sources never where models are judged."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.placing import Draft, find_parted, place_general, place_given, place_known, place_rest, read_draft, straddling
from surefoot.data.remembering import Known
from surefoot.data.splitting import fill_quotas, make_folds, make_strata, name_sets
from surefoot.data.units import Units, make_units

QUOTAS = {"train": 0.6, "val": 0.2, "test": 0.2}
ITEM = st.fixed_dictionaries(
    {
        "content": st.integers(0, 30),
        "group": st.one_of(st.none(), st.sampled_from("abcde")),
        "near": st.one_of(st.none(), st.sampled_from("xyz")),
        "class": st.integers(0, 2),
        "source": st.sampled_from(["own", "own", "web"]),
    }
)
ITEMS = st.lists(ITEM, min_size=1, max_size=60)


def make_index(items, given_sets=None) -> pa.Table:
    """The audit's index of some items; ids number equal contents."""
    seen: Counter[int] = Counter()
    ids = []
    for item in items:
        ids.append(f"{item['content']:04x}-{seen[item['content']]}")
        seen[item["content"]] += 1
    return pa.table(
        {
            "id": ids,
            "content": [f"{item['content']:04x}" for item in items],
            "given_set": given_sets or [""] * len(items),
            "group": pa.array([item.get("group") for item in items], pa.string()),
            "near": pa.array([item.get("near") for item in items], pa.string()),
            "time": pa.nulls(len(items), pa.float64()),
            "target": pa.array([[float(item.get("class", 0))] for item in items], pa.list_(pa.float64())),
            "source": [item.get("source", "own") for item in items],
        }
    )


def join(draft: Draft, *, by_content: bool = True) -> Units:
    return make_units(draft.contents, draft.groups, make_strata(draft.targets, "multiclass"), by_content=by_content, near=draft.near)


def remember(draft: Draft) -> Known:
    """What a stored hold-out says of its items."""
    keep = draft.kept()
    ids, groups = (column.filter(pa.array(keep)) for column in (draft.ids, draft.groups))
    return Known(ids, ids, draft.sets[keep], groups, np.zeros(len(ids), bool), len(ids))


def place(index: pa.Table, known: Known | None = None, seed: int = 0, share: float = 0.2) -> Draft:
    """The whole of it, as s03 does it."""
    draft = read_draft(index, frozenset(["web"]))
    units = join(draft)
    place_given(draft, units, by_content=True)
    place_known(draft, units, known)
    place_rest(draft, units, QUOTAS, seed, is_classes=False)
    place_general(draft, units, share, seed)
    return draft


def told(draft: Draft) -> dict[str, str]:
    """Id -> set, of those that are not refused."""
    keep = draft.kept()
    return {id: str(name) for id, name, kept in zip(draft.ids.to_pylist(), name_sets(draft.sets), keep) if kept}


@given(ITEMS, st.integers(0, 3))
def test_what_belongs_together_is_on_one_side_and_everybody_has_a_set(items, seed):
    draft = place(make_index(items), seed=seed)
    keep = draft.kept()
    assert set(name_sets(draft.sets[keep])) <= {"train", "val", "test", "train_dev"}
    for word in ("content", "group", "near"):
        sides: dict[object, set[str]] = {}
        for item, name, kept in zip(items, name_sets(draft.sets), keep):
            if kept and item[word] is not None:
                sides.setdefault(item[word], set()).add(str(name))
        assert all(len(names) == 1 for names in sides.values()), word
    assert straddling(draft, join(draft), by_content=True) == 0


@pytest.mark.parametrize("by_content", [True, False])
def test_equal_contents_in_two_sets_are_counted_and_named_whatever_joins_the_items(by_content):
    draft = read_draft(make_index([{"content": content} for content in (1, 1, 2, 2, 3, 3, 3, 4)]), frozenset())
    draft.sets = np.array([1, 2, 1, 1, 3, 2, 2, 1], np.int8)
    units = join(draft, by_content=by_content)
    assert straddling(draft, units, by_content=by_content) == 2
    assert find_parted(draft).tolist() == [0, 1, 4, 5, 6]
    draft.refused[4] = "it would leak"
    assert straddling(draft, units, by_content=by_content) == 1
    assert find_parted(draft).tolist() == [0, 1]


def test_near_copies_in_two_sets_are_named_too():
    draft = read_draft(make_index([{"content": n, "near": near} for n, near in enumerate(["a", "a", None, None, "b", "b"])]), frozenset())
    draft.sets = np.array([1, 2, 1, 2, 3, 3], np.int8)
    assert find_parted(draft).tolist() == [0, 1]


@given(ITEMS, ITEMS, st.integers(0, 3))
def test_newcomers_move_nobody_whatever_they_are(first, later, seed):
    before = place(make_index(first), seed=seed)
    after = told(place(make_index([*first, *later]), remember(before), seed))
    assert {id: after.get(id) for id in told(before)} == told(before)


@given(ITEMS)
def test_items_of_general_sources_never_go_where_models_are_chosen_or_judged(items):
    draft = place(make_index(items))
    for item, name, kept in zip(items, name_sets(draft.sets), draft.kept()):
        if item["source"] == "web" and kept:
            assert name in ("train", "train_dev")
        if item["source"] == "own":
            assert kept
            assert name != "train_dev"


def test_train_dev_is_its_share_of_the_general_items_of_each_class():
    items = [{"content": n, "class": n % 2, "source": "web" if n < 200 else "own"} for n in range(400)]
    draft = place(make_index(items), share=0.1)
    counts = Counter(zip((item["class"] for item in items), name_sets(draft.sets).tolist(), (item["source"] for item in items)))
    assert counts[0, "train_dev", "web"] == counts[1, "train_dev", "web"] == 10
    assert counts[0, "val", "own"] == counts[0, "test", "own"] == 20


def test_a_general_item_equal_to_a_judged_one_is_refused_with_its_reason():
    items = [{"content": n, "class": 0} for n in range(30)] + [{"content": n, "class": 0, "source": "web"} for n in range(30)]
    draft = place(make_index(items))
    judged = {n for n in range(30) if name_sets(draft.sets)[n] in ("val", "test")}
    assert set(draft.refused) == {30 + n for n in judged}
    assert all("from a general source" in reason for reason in draft.refused.values())


def test_given_sets_of_a_general_source_do_not_count():
    items = [{"content": n, "class": 0, "source": "web" if n < 10 else "own"} for n in range(60)]
    draft = place(make_index(items, ["test"] * 10 + [""] * 50))
    assert not set(name_sets(draft.sets[:10])) & {"val", "test"}


@given(st.lists(st.integers(0, 3), min_size=6, max_size=80), st.integers(0, 3))
def test_each_class_meets_its_quota_within_a_unit(classes, seed):
    items = [{"content": n, "class": label} for n, label in enumerate(classes)]
    draft = place(make_index(items), seed=seed)
    overall = Counter(name_sets(draft.sets).tolist())
    for label, size in Counter(classes).items():
        counts = Counter(name for name, of in zip(name_sets(draft.sets), classes) if of == label)
        if size > 12:  # the last units of all go to sets that would be empty
            assert all(abs(counts[name] - share * size) <= 2 for name, share in QUOTAS.items())
    assert sum(overall.values()) == len(classes)


# several labels


def draw_labels(num, seed):
    rng = np.random.default_rng(seed)
    return rng.random((num, 12)) < rng.uniform(0.02, 0.4, 12)


def deviation(labels, sets):
    """Mean distance of each label's share in val and test from its quota."""
    return np.mean([abs(labels[sets == name].sum(0) / np.maximum(labels.sum(0), 1) - QUOTAS[name]).mean() for name in ("val", "test")])


@pytest.mark.parametrize("seed", range(3))
def test_many_labels_are_stratified_three_times_as_well_as_by_their_rarest_label_alone(seed):
    labels = draw_labels(800, seed)
    contents = [f"{n:05x}" for n in range(800)]
    strata = make_strata(labels.astype(float), "multilabel")
    found = []
    for told_labels in (labels, None):
        units = make_units(contents, (), strata, by_content=True, labels=told_labels)
        found.append(deviation(labels, name_sets(fill_quotas(units, QUOTAS, np.zeros(len(units), np.int8), 0)[units.of])))
    assert found[0] < found[1] / 3
    assert found[0] < 0.01


def test_folds_of_many_labels_hold_their_share_of_each():
    labels = draw_labels(600, 0)
    units = make_units([f"{n:05x}" for n in range(600)], (), make_strata(labels.astype(float), "multilabel"), by_content=True, labels=labels)
    is_val = make_folds(units, np.ones(600, bool), folds=5, iterations=2, seed=0)[units.of]
    assert (is_val.sum(1) == 2).all()
    shares = np.stack([labels[is_val[:, fold]].sum(0) / labels.sum(0) for fold in range(10)])
    assert abs(shares - 0.2).max() < 0.08


def test_groups_of_mixed_classes_are_stratified_whole():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 120, 1_500)
    classes = np.where(rng.random(1_500) < 0.1, 1, 0)
    units = make_units([f"{n:05x}" for n in range(1_500)], [f"g{g}" for g in groups], classes, by_content=True)
    sets = name_sets(fill_quotas(units, QUOTAS, np.zeros(len(units), np.int8), 0)[units.of])
    is_val = make_folds(units, np.ones(len(units), bool), folds=5, iterations=1, seed=0)[units.of]
    for label in (0, 1):
        shares = [np.mean(sets[classes == label] == name) for name in QUOTAS]
        assert np.allclose(shares, list(QUOTAS.values()), atol=0.02)
        assert abs(is_val[classes == label].mean(0) - 0.2).max() < 0.03
    assert all(len(set(sets[groups == g])) == 1 for g in range(120))


def test_strata_of_several_amounts_follow_what_they_share():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=1_000)
    targets = np.stack([shared + 0.1 * rng.normal(size=1_000), 50 * shared, rng.normal(size=1_000) * 0.01], 1)
    strata = make_strata(targets, "vector_regression")
    assert Counter(strata.tolist()) == dict.fromkeys(range(10), 100)
    assert abs(np.corrcoef(strata, shared)[0, 1]) > 0.95
