"""Items mixed with each other: what is blended, what stays, and what the targets count."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.transforms.mix import cutmix, mixup
from surefoot.types.examples import Batch

GENERATOR = np.random.default_rng


def make_batch(num: int = 6) -> Batch:
    images = torch.arange(num, dtype=torch.uint8)[:, None, None, None].expand(num, 1, 8, 8).contiguous() * 20
    return Batch((images,), torch.arange(num), weights=torch.ones(num), rows=torch.arange(num))


def test_mixup_blends_each_item_with_its_partner_by_the_share_that_its_target_counts():
    batch = make_batch()
    mixed = mixup(batch, 0.8, GENERATOR(1))
    assert 0.5 <= mixed.share <= 1
    expected = (mixed.share * batch.targets + (1 - mixed.share) * mixed.others) * 20
    assert torch.allclose(mixed.inputs[0][:, 0, 0, 0].float(), expected.float(), atol=0.51)
    assert sorted(mixed.others.tolist()) == list(range(6))


def test_mixup_of_a_table_keeps_codes_and_what_is_missing_on_either_side():
    numbers = torch.tensor([[1.0], [float("nan")], [3.0], [5.0]])
    codes = torch.tensor([[1], [2], [3], [4]], dtype=torch.int32)
    batch = Batch((numbers, codes), torch.zeros(4, 1))
    mixed = mixup(batch, 1.0, GENERATOR(0))
    assert torch.equal(mixed.inputs[1], codes)
    assert torch.isnan(mixed.inputs[0]).squeeze().tolist() == [False, True, False, False]


def test_cutmix_pastes_a_rectangle_whose_area_is_what_the_other_target_counts():
    batch = make_batch()
    mixed = cutmix(batch, 1.0, GENERATOR(3))
    pasted = (mixed.inputs[0] != batch.inputs[0]).float().mean((1, 2, 3))
    moved = mixed.others != batch.targets
    assert pasted[moved].numpy() == pytest.approx(1 - mixed.share)
    assert 0 < mixed.share < 1


def test_cutmix_leaves_tables_alone():
    batch = Batch((torch.ones(3, 2),), torch.zeros(3))
    assert cutmix(batch, 1.0, GENERATOR(0)) is batch


def test_a_part_of_a_batch_has_its_share_of_everything():
    part = mixup(make_batch(), 0.8, GENERATOR(1)).part(slice(2, 4))
    assert [len(part.inputs[0]), len(part.targets), len(part.weights), len(part.rows), len(part.others), len(part.other_weights)] == [2] * 6
