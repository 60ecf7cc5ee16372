"""The sealed test set: nobody reads it without a key, and every key is written down."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.events import Announcer
from surefoot.store import seal
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger
from surefoot.store.scope import ScopedLedger
from surefoot.store.unseal import unseal
from surefoot.types.context import Context
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import SealedError

FIELDS = (FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("a", "b")),)


@pytest.fixture
def ledger(tmp_path):
    opened = ProjectLedger(tmp_path / "surefoot.db")
    yield opened
    opened.close()


def context(ledger: ProjectLedger, scope: str, again: str = "", round_number: int = 1) -> Context:
    root = ledger.path.parent
    return Context(root, root, round_number, 0, "cpu", Blobs(root / "store"), ScopedLedger(ledger, scope), Announcer(), again=again)


def write(store: Blobs, is_sealed: bool) -> str:
    block = Block(["a-0"], ["file:1"], (np.ones((1, 2), np.float32),), np.zeros((1, 1)), np.ones(1, np.float32))
    return write_pack(store, FIELDS, 1, [block], is_sealed=is_sealed)


# the seal


def test_a_sealed_pack_is_not_opened_without_a_key(tmp_path):
    store = Blobs(tmp_path)
    ref = write(store, True)
    with pytest.raises(SealedError, match="The test set is sealed") as caught:
        open_pack(store, ref)
    assert ref[:12] in caught.value.where
    assert "surefoot test" in caught.value.next


def test_a_sealed_pack_is_opened_with_a_key(tmp_path):
    store = Blobs(tmp_path)
    assert open_pack(store, write(store, True), seal.Key(1)).targets.tolist() == [[0.0]]


def test_a_pack_without_a_seal_needs_no_key(tmp_path):
    store = Blobs(tmp_path)
    assert len(open_pack(store, write(store, False))) == 1
    assert write(store, False) != write(store, True)


# the openings


def test_the_first_opening_needs_no_reason_and_is_written_down(ledger):
    key, openings = unseal(context(ledger, "1-test-1"))
    assert key == seal.Key(1)
    assert [(o.number, o.round, o.why) for o in openings] == [(1, 1, "first opening")]
    assert ledger.openings() == openings


def test_a_second_opening_without_a_reason_is_refused_and_leaves_no_trace(ledger):
    unseal(context(ledger, "1-test-1"))
    with pytest.raises(SealedError, match=r"opened before: 1 time.*round 1") as caught:
        unseal(context(ledger, "2-test-1", round_number=2))
    assert caught.value.where == "s13_test"
    assert "--again" in caught.value.next
    assert len(ledger.openings()) == 1


def test_a_second_opening_with_a_reason_is_recorded_for_ever(ledger):
    unseal(context(ledger, "1-test-1"))
    key, openings = unseal(context(ledger, "2-test-1", again="the labels were wrong", round_number=2))
    assert key == seal.Key(2)
    assert [(o.round, o.why) for o in openings] == [(1, "first opening"), (2, "the labels were wrong")]
    with pytest.raises(SealedError, match="2 time"):
        unseal(context(ledger, "3-test-1"))


def test_a_resumed_run_is_the_same_opening(ledger):
    unseal(context(ledger, "1-test-1"))
    key, openings = unseal(context(ledger, "1-test-1"))
    assert key == seal.Key(1)
    assert len(openings) == 1


def test_a_resumed_run_keeps_the_key_of_its_own_opening(ledger):
    unseal(context(ledger, "1-test-1"))
    unseal(context(ledger, "2-test-1", again="a second look"))
    assert unseal(context(ledger, "1-test-1"))[0] == seal.Key(1)


def test_another_process_knows_of_the_opening(ledger):
    unseal(context(ledger, "1-test-1"))
    other = ProjectLedger(ledger.path)
    with pytest.raises(SealedError, match="opened before"):
        unseal(context(other, "1-test-2"))
    other.close()
