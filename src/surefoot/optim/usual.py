"""What an optimizer usually bears: where lr starts when nobody said it, and where a search looks for it.

Peaks under a one-cycle schedule, most of them below the best of a sweep (LOG.md). On digits and on bike hires that was 0.02 and 0.01 for AdamW, 0.05 and
0.01 for Muon, 0.1 and 0.1 for momentum, 1 and 0.3 for plain SGD (which diverged on the hires at 1), 0.001 and 0.0005 for RMSprop, 1 and 0.1 for full
batches (which diverged there at 0.3).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Usual:
    """Values for one family of optimizers.

    Attributes:
        image, table: peak lr for pictures and for tables.
        lr, weight_decay: where a search looks, (low, high). Decay that is added to the gradient pulls harder by as much as lr is larger than AdamW's.
    """

    image: float
    table: float
    lr: tuple[float, float]
    weight_decay: tuple[float, float] = (1e-5, 3e-3)

    def peak(self, kind: str) -> float:
        """The lr for `image` or `table`."""
        return self.image if kind == "image" else self.table


_ADAMW = Usual(0.02, 5e-3, (1e-3, 0.05), (1e-3, 0.3))
_HEAVY = Usual(0.1, 0.03, (3e-3, 0.3))
_USUAL = {
    "gd": Usual(0.5, 0.1, (0.02, 1.0)),
    "sgd": Usual(0.5, 0.2, (0.02, 1.0)),
    "momentum": _HEAVY,
    "nesterov": _HEAVY,
    "rmsprop": Usual(2e-3, 1e-3, (1e-4, 1e-2)),
    "adam": Usual(_ADAMW.image, _ADAMW.table, _ADAMW.lr),
    "adamw": _ADAMW,
    "muon": _ADAMW,
}


def find_usual(optimizer: str) -> Usual:
    """What suits an optimizer; of a user's own nothing is known, and AdamW's values are a guess."""
    return _USUAL.get(optimizer, _ADAMW)
