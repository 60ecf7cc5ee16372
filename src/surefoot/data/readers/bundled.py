"""The small data sets that come with scikit-learn: `sklearn:digits` and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.data.nearest import suggest
from surefoot.data.readers import fingerprint
from surefoot.data.readers.raw import RawTable, tabulate
from surefoot.types.errors import UsageError
from surefoot.types.source import ImageSource

NAMES = ("digits", "breast_cancer", "wine", "iris", "diabetes", "linnerud")
DIGITS_HIGH = 16


def open_bundled(name: str) -> ImageSource | list[RawTable]:
    """Opens a bundled set by its name in scikit-learn.

    Returns:
        digits as 8 x 8 pictures (0..16 scaled to 0..255) with int labels; the others as tables whose target is `target`,
        with class names where there are any, and for linnerud three targets by their own names.

    Raises:
        UsageError: there is no such set.
    """
    if name not in NAMES:
        raise UsageError(
            f'scikit-learn bundles no set named "{name}" that can be read here.',
            where=f"sklearn:{name}",
            next=f"{suggest(name, NAMES)}Known: {', '.join(NAMES)}.",
        )
    import sklearn
    from sklearn import datasets  # imports for a second, and only these sets need it

    # The others are as measured; diabetes comes standardised by all its rows, those of a later test set too, unless asked not to.
    found = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    mark = fingerprint.of_words("sklearn", name, sklearn.__version__)
    return _open_digits(found, mark) if name == "digits" else [_open_table(name, found, mark)]


def _open_digits(found: Any, mark: str) -> ImageSource:
    pixels = np.rint(found.images * (255 / DIGITS_HIGH)).astype(np.uint8)
    return ImageSource(
        places=[f"digits[{row}]" for row in range(len(pixels))],
        labels=found.target.tolist(),
        given_sets=[""] * len(pixels),
        read=lambda row: pixels[row].copy(),
        notes=[f"Pixels were in 0..{DIGITS_HIGH}; they were scaled to 0..255."],
        fingerprint=mark,
    )


def _open_table(name: str, found: Any, mark: str) -> RawTable:
    columns = tabulate(found.data, [str(word) for word in found.feature_names])
    if found.target.ndim == 2:
        targets = tabulate(found.target, [str(word) for word in found.target_names])
    elif "target_names" in found:
        targets = {"target": pa.chunked_array([pa.array([str(found.target_names[label]) for label in found.target])])}
    else:
        targets = tabulate(found.target[:, None], ["target"])
    return RawTable(name, columns | targets, [f"{name}[{row}]" for row in range(len(found.data))], mark, target=tuple(targets))
