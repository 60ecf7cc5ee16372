"""When memory runs out in the middle of a step: the batch is taken in halves, and no item is lost."""

from __future__ import annotations

from collections.abc import Callable

import torch

_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
"""The last is in what the libraries of CUDA say: CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_ALLOC_FAILED, CUFFT_ALLOC_FAILED."""


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def halve(micro_batch: int, batch: int) -> int:
    """The next smaller number of items at a time; 0 stands for the whole batch. 0 where nothing is left to halve."""
    return (min(micro_batch or batch, batch)) // 2


def take_parts(num: int, size: int, take: Callable[[slice], None]) -> None:
    """Takes one part of `num` items after another, `size` at a time, or fewer from where memory runs out; the last may be smaller."""
    start = 0
    while start < num:
        size = take_some(min(size, num - start), lambda many, start=start: take(slice(start, start + many)))  # type: ignore[misc]
        start += size


def take_some(num: int, take: Callable[[int], None]) -> int:
    """Takes `num` items at once, or half as many for as long as memory runs out; returns how many it took."""
    while True:
        try:
            take(num)
            return num
        except (RuntimeError, MemoryError) as error:
            if not is_exhausted(error) or num < 2:
                raise
        num //= 2
        free()  # out here, where the error no longer holds what was in use when it was raised


def free() -> None:
    """Gives cached blocks back, so that the next try finds them."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
