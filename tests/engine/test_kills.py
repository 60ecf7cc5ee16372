"""kill -9 anywhere, most of all while a checkpoint is written: a small sample of `python -m benchmarks kill200`, and the checks that it rests on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks import kill200, short_run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs that are killed are forked")
def test_runs_that_are_killed_end_with_the_weights_the_log_and_the_items_of_a_whole_one():
    found = kill200.run(num=6, seed=1)
    assert found["kills"] == 6
    assert found["bit_equal"] == found["logs_equal"] == found["traces_ok"] == found["runs"] >= 3


def make_trace(first: int = 1, last: int = short_run.NUM_STEPS) -> list[str]:
    """Steps of a run that sees its items in their order; batches differ by one item at most."""
    num, steps, lines = short_run.NUM_TRAIN, short_run.STEPS_PER_EPOCH, []
    for step in range(first, last + 1):
        epoch, position = divmod(step - 1, steps)
        ids = ",".join(f"item-{n}" for n in range(position * num // steps, (position + 1) * num // steps))
        lines.append(f"{step} {epoch} {ids} .")
    return lines


def test_a_trace_is_cut_where_a_run_went_on():
    whole = make_trace()
    assert kill200.is_complete(whole)
    told = "\n".join([*make_trace(1, 10), *make_trace(9, 20), whole[20][:30], *make_trace(17)])
    assert kill200.cut_trace(told) == whole


def test_a_step_that_was_skipped_or_made_twice_is_found():
    assert not kill200.is_complete(kill200.cut_trace("\n".join([*make_trace(1, 10), *make_trace(12)])))
    assert not kill200.is_complete([*make_trace(1, 10), *make_trace(10)])


def test_an_item_seen_twice_is_found():
    whole = make_trace()
    assert not kill200.is_complete([*whole[:5], whole[5].replace(whole[5].split(" ")[2].split(",")[0], "item-0"), *whole[6:]])


def test_half_a_checkpoint_is_told_from_a_whole_one(tmp_path: Path):
    folder = tmp_path / "checkpoints"
    assert kill200.find_unsaved(tmp_path) == set()
    folder.mkdir()
    for name in ("step-000000004.json", "step-000000004.safetensors", "step-000000008.json", "step-000000008.safetensors"):
        (folder / name).touch()
    assert kill200.find_unsaved(tmp_path) == set()
    (folder / "step-000000012.safetensors").touch()
    assert kill200.find_unsaved(tmp_path) == {"step-000000012"}
    (folder / "step-000000012.json").touch()
    assert kill200.find_unsaved(tmp_path) == {"step-000000004"}
    (folder / ".step-000000016.json.1f.part").touch()
    assert kill200.find_unsaved(tmp_path) == {"step-000000004", ".step-000000016.json.1f.part"}
