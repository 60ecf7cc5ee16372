"""The report of s10: errors looked at one by one, and labels in doubt."""

from __future__ import annotations

from surefoot.types.data_reports import Ref
from surefoot.types.findings import Measured, Plain, Report


class ErrorRow(Plain):
    """A wrong val item: what it is, what was said, how sure, and its tags."""

    id: str
    place: str
    target: str
    pred: str
    confidence: float = 0.0
    loss: float = 0.0
    tags: tuple[str, ...] = ()
    note: str = ""
    text: str = ""


class Mislabel(Plain):
    """An item whose label the models doubt: `score` in [0, 1] is the prob they give to the given label."""

    id: str
    given: str
    suggested: str
    score: float
    place: str = ""
    text: str = ""


class Slice(Plain):
    """A part of val where the model does worse than on the rest.

    Attributes:
        name: what its items have in common, e.g. `job = nurse`.
        error: of its items: the share that is wrong, or the mean loss; rest: of the others.
        p_value: of a one-sided test against the rest; q_value: corrected for all that were tested.
        could_bring: the error of val that would go away if the slice were as good as the rest.
    """

    name: str
    error: Measured
    rest: float
    p_value: float
    q_value: float
    could_bring: float


class Neighbour(Plain):
    """A train item that the model takes for like another: its label, and how alike in [-1, 1]."""

    id: str
    place: str
    target: str
    likeness: float


class ErrorsReport(Report):
    """s10: a hundred errors, looked at. `tags` tag -> rows that carry it; `ceilings` tag -> share of val's items
    that fixing it could put right at most.

    Of amounts (`is_amount`) the tenth with the largest residuals counts as wrong, and ceilings are shares of val's absolute error.

    Attributes:
        most_rewarding: the tag with the highest ceiling, of those that can be fixed.
        slices: where val's error is higher than elsewhere, of `num_slices` that were tested. neighbours: error's id -> nearest train items.
        saliency: stored arrays id -> uint8 (H, W, 3): what the answer rests on. importance: column -> what shuffling it costs.
        doubted: items whose label was asked about; doubts: stored predictions with how doubtful each is. review_minutes: what looking at the suspects costs.
        repairs: the suggested labels as a repairs file.
        embedding: stored arrays like the map of `Explored`: train and val items by what the last layer of the tuned net sees of them; spread: as there.
    """

    num_wrong: int
    num_val: int
    is_amount: bool = False
    rows: tuple[ErrorRow, ...]
    tags: dict[str, int] = {}
    ceilings: dict[str, Measured] = {}
    mislabels: tuple[Mislabel, ...] = ()
    worst: tuple[ErrorRow, ...] = ()
    most_rewarding: str = ""
    slices: tuple[Slice, ...] = ()
    num_slices: int = 0
    neighbours: dict[str, tuple[Neighbour, ...]] = {}
    saliency: Ref = ""
    importance: dict[str, Measured] = {}
    num_suspects: int = 0
    doubted: int = 0
    doubts: Ref = ""
    review_minutes: float = 0.0
    repairs: str = ""
    pictures: Ref = ""
    csv: str = ""
    embedding: Ref = ""
    spread: tuple[float, ...] = ()
