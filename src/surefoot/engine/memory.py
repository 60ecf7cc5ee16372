"""When memory runs out in the middle of a step: the batch is taken in halves, and no item is lost."""

from __future__ import annotations

import torch

_WORDS = ("out of memory", "not enough memory", "can't allocate memory")


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def halve(micro_batch: int, batch: int) -> int:
    """The next smaller number of items at a time; 0 stands for the whole batch. 0 where nothing is left to halve."""
    return (min(micro_batch or batch, batch)) // 2


def free() -> None:
    """Gives cached blocks back, so that the next try finds them."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
