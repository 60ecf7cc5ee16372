"""Reports of s02 to s04: what there is, who gets what, how it is packed. Arrays are named by their hash in the store."""

from __future__ import annotations

from typing import Any

from surefoot.types.findings import Measured, Plain, Report

Ref = str
"""SHA-256 of a stored file."""


class ColumnProfile(Plain):
    """What one column holds: its kind (`numeric`, `category`, `boolean`, `date`, `text`), its numbers, and its role, which the settings may have told."""

    name: str
    kind: str
    missing: int = 0
    distinct: int = 0
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    sd: float | None = None
    histogram: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()
    top: dict[str, int] = {}
    role: str = "input"
    is_told: bool = False


class Drift(Plain):
    """How well a classifier tells two piles of items apart.

    Attributes:
        auc: area under its ROC curve on items it has not seen; 0.5 is chance.
        p: of chance doing as well, corrected for the number of pairs that were compared.
        n: items it was shown. columns: those that differ most -> distance of their distributions in [0, 1].
    """

    auc: float
    p: float
    n: int
    columns: dict[str, float] = {}


class SourceReport(Plain):
    """What the audit says about one source.

    Attributes:
        items: it holds. usable, refused: of them.
        shared: usable items that have an equal in another source. conflict: share of them whose equals there all have another label; None for amounts,
            of which equal items may have several.
        agreement: share of its labels that a simple model, fitted to other items, gives too (amounts: rank correlation).
    """

    name: str
    role: str = "practical"
    labels: str = "labelled"
    items: int = 0
    usable: int = 0
    refused: int = 0
    shared: int = 0
    conflict: Measured | None = None
    agreement: Measured | None = None


class RefusedItem(Plain):
    """An item that is not used: where it is, and why."""

    place: str
    reason: str
    code: str


class NearPair(Plain):
    """Two items that are nearly equal: ids, places, how alike (0..1, 1 is equal), and whether their targets differ."""

    a: str
    b: str
    place_a: str
    place_b: str
    likeness: float
    is_conflicting: bool = False


class Suspect(Plain):
    """An item worth a look: the finding codes that name it, each with the sentence that says why."""

    id: str
    place: str
    reasons: dict[str, str]


class Spread(Plain):
    """How a measured quantity is spread over the items: its 1 %, 50 % and 99 % quantiles, and a histogram."""

    low: float
    median: float
    high: float
    histogram: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()


class BoxProfile(Plain):
    """What is drawn on the pictures, held against them. Sizes and shapes are those of boxes outside a given test set.

    Attributes:
        table: stored Arrow table, a row per usable picture: `id`, `width`, `height` (of the upright picture), and ragged lists with an entry per
            box: `corners` (four float64: x0, y0, x1, y1 in pixels), `classes`, `is_difficult`, `is_crowd`.
        num_boxes: those that are used. num_negatives: usable pictures without one. num_clipped, num_repeated: as `data.boxes` says.
        classes: class -> (boxes, pictures that hold one).
        refused: boxes that are not used; their pictures are.
        per_picture: "0", "1", ... -> pictures with so many boxes, in bins where there are many.
        sides: histogram of the square root of the boxes' areas in pixels, over `side_edges`. shapes: width ÷ height in words -> boxes.
    """

    table: Ref
    num_boxes: int
    num_negatives: int
    num_clipped: int = 0
    num_repeated: int = 0
    classes: dict[str, tuple[int, int]] = {}
    refused: tuple[RefusedItem, ...] = ()
    per_picture: dict[str, int] = {}
    sides: tuple[int, ...] = ()
    side_edges: tuple[float, ...] = ()
    shapes: dict[str, int] = {}


class AuditReport(Report):
    """s02: what there is.

    Attributes:
        index: stored Arrow table, a row per readable item: `row` (position in the source), `id`, `content` (hash
            without ordinal), `place`, `given_set`, `target` (list of float64; class index for classification),
            `group`, `time` (both nullable), `weight`, `near` (name of the near duplicates it belongs to, null where it has none), `source` (its name).
        balance: class -> count (regression: a histogram over `balance_edges`).
        columns: profile per table column.
        sizes: "HxW" -> count for pictures, the most frequent first, at most 50.
        shorter_side, longer_side: of the pictures, in pixels, at the median; a given test set aside.
        modes: "grey" or "colour" -> pictures, as they are used. file_modes: the mode as the file has it ("RGB", "P", "CMYK", "I;16", ...) -> pictures.
        turned: EXIF orientation, "2" to "8" -> pictures that are stored so; they are set upright while reading.
        near: pairs of near duplicates, the most alike first, at most 200; num_near: items that have one.
        suspects: items worth a look, at most 500; suspected: finding code -> how many there are in all.
        measures: what was measured on each picture (`brightness`, `contrast`, `sharpness`, `bytes`) -> how it is spread; a given test set aside.
        repairs: stored Arrow table of what `surefoot audit --fix` would write, "" where there is nothing to repair.
        sources: a report per source, the raw ones included. drift: source -> how far it differs from the others.
        features: stored Arrow table of a sample of the items: `id`, and a float32 (amount) or int32 (category) column `f:NAME` each.
        boxes: where boxes are drawn on the pictures; `balance` then counts boxes, and `target` holds the boxes of each class.
    """

    fingerprint: str
    num_items: int
    num_usable: int
    index: Ref
    refused: tuple[RefusedItem, ...] = ()
    balance: dict[str, int] = {}
    balance_edges: tuple[float, ...] = ()
    columns: tuple[ColumnProfile, ...] = ()
    sizes: dict[str, int] = {}
    shorter_side: int = 0
    longer_side: int = 0
    modes: dict[str, int] = {}
    file_modes: dict[str, int] = {}
    turned: dict[str, int] = {}
    near: tuple[NearPair, ...] = ()
    num_near: int = 0
    suspects: tuple[Suspect, ...] = ()
    suspected: dict[str, int] = {}
    measures: dict[str, Spread] = {}
    repairs: Ref = ""
    num_wild: int = 0
    sources: tuple[SourceReport, ...] = ()
    drift: dict[str, Drift] = {}
    features: Ref = ""
    boxes: BoxProfile | None = None

    @property
    def num_refused(self) -> int:
        """Items that were refused, also where they are too many to be listed."""
        codes = {one.code for one in self.refused}
        told = sum(int(str(finding.evidence.get("refused", 0))) for finding in self.findings if finding.code in codes)
        return max(told, len(self.refused))

    @property
    def num_untargeted(self) -> int:
        """Items that can be read, and are left out as they have no target."""
        return max(self.num_items - self.num_usable - self.num_refused, 0)


class Split(Report):
    """s03: who trains, who chooses, who judges.

    Attributes:
        sets: stored Arrow table: `id`, `set` ("train", "val", "test", "train_dev"), and `val_folds`
            (list of fold numbers in which a non-test item is val), and `used_folds` (those in which it is used; train where not val);
            `group` where items have one.
        away: stored Arrow table of items that were split before and are not here now, which keep their set until they come back: `id`, `set`, `group`, and
            `is_open` (K-fold called it train, which a hold-out parts into train and val). Empty where there is none.
        grouped_by: the column that `group` was read from.
        protocol: `holdout`, `kfold` or `iterated_kfold`.
        folds: how many (train, val) pairs there are.
        by: `stratified`, `group`, `time` or `given`.
        counts: set -> items; per class: set -> class -> items.
        resolves: the smallest difference that val can tell from noise: of the metric, or, `is_amount`, as a share of the error.
        shift: "train, val" (and the other pairs) -> how far the inputs of two sets differ.
    """

    sets: Ref
    away: Ref = ""
    grouped_by: str = ""
    protocol: str
    folds: int
    by: str
    counts: dict[str, int]
    class_counts: dict[str, dict[str, int]] = {}
    unmeasured: tuple[str, ...] = ()
    resolves: float = 0.0
    is_amount: bool = False
    newcomers: int = 0
    refused: tuple[RefusedItem, ...] = ()
    shift: dict[str, Drift] = {}


UNKNOWN = 1
"""The code of a word that is not known; 0 is padding."""
LEAST_TEXTS = 2
"""In so many train texts a word must stand to be known: standing in one it tells that text from all others and nothing of its class, and so the
unknown word is met in training."""


class FieldSpec(Plain):
    """One input of the net as the pack holds it.

    Attributes:
        name: `image`, `numeric`, `category` or, for each column of text, `text`, `text2`, ...
        shape: of one item, e.g. (3, 32, 32) or (14,).
        dtype: NumPy name: uint8 for pictures, float32 for numbers, int32 for codes of categories and words.
        names: column names of a table field, in order.
        cardinalities: codes per category column, the reserved code 0 (unseen or missing) included; of a text its codes, 0 (padding) and 1 (unknown) included.
        is_ragged: items differ in length along the first axis: what a pack stores of each ends before the zeros at its end, and a batch has them again.
        is_given: codes have a meaning that was there before the data (a pretrained tokenizer): those that train never held stay as they are.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    names: tuple[str, ...] = ()
    cardinalities: tuple[int, ...] = ()
    is_ragged: bool = False
    is_given: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds the words of a text."""
        return self.name.startswith("text")


class FoldData(Plain):
    """One (train, val) pair: `fitted` names the stored statistics that came from its train rows alone."""

    fold: int
    num_train: int
    num_val: int
    fitted: Ref


class ShownItem(Plain):
    """An item outside the test set that the page may show: its label, why it is shown, and of a row of a table what its cells held, or its texts."""

    id: str
    place: str = ""
    label: str = ""
    reasons: tuple[str, ...] = ()
    cells: dict[str, str] = {}


class Explored(Plain):
    """What the page shows of the items outside the test set, for a person to look through.

    Attributes:
        groups: the classes, or for amounts four ranges with as many train items each.
        pixels: channel -> how many pixels of train pictures fall into each of 32 levels from dark to bright.
        gaps: columns of train rows with missing values, the most first; together[i][j]: rows in which both are missing; num_rows: of how many.
        words: group -> words of its train texts that most set it apart, and in how many of them each stands.
        equal: items whose contents are equal, a tuple per group; near: pairs of near duplicates; suspects: items that a check of the audit names.
        sheet: items of the contact sheet; what they were before packing is among the pictures, under `raw ` and the id.
        arrays: stored: `xy` float32 (N, 2), items on a map by their two principal components; `group` int64 (N,), len(groups) where they are in none;
            for tables the items of the sheet as packed: `numbers`, `standard` (the same in standard units) float32 (items, F), and `codes`.
        spread: share of all variance on either axis of the map.
    """

    groups: tuple[str, ...] = ()
    pixels: dict[str, tuple[int, ...]] = {}
    gaps: tuple[str, ...] = ()
    together: tuple[tuple[int, ...], ...] = ()
    num_rows: int = 0
    words: dict[str, dict[str, int]] = {}
    equal: tuple[tuple[ShownItem, ...], ...] = ()
    near: tuple[tuple[ShownItem, ...], ...] = ()
    suspects: tuple[ShownItem, ...] = ()
    sheet: tuple[ShownItem, ...] = ()
    arrays: Ref = ""
    spread: tuple[float, ...] = ()


class PreparedData(Report):
    """s04: the packs and how they were made.

    Attributes:
        recipe: how a raw record becomes the fields; the same JSON as `preprocess.json` of the bundle.
        pack: stored manifest of the pack with every train, val and train_dev item.
        test_pack: stored, sealed. wild_pack: stored, empty when there is none.
        shards: the files that the packs lie in.
        rows: stored arrays: `fold{k}.train`, `fold{k}.val` (int64 positions in the pack), `train_dev`; `whole` where the final training leaves items out;
            `groups`, a number per item, where the split goes by groups; `test.groups`, the same of the test pack.
        folds: one entry per fold.
        fitted_final: statistics of train + val together, for s11.
        in_memory: the pack is small enough to be held in memory.
        stored: how pictures lie in the packs, and why.
        sample: class, or range of amounts -> ids of a few train pictures as the net sees them; pictures: stored arrays id -> uint8 (H, W[, 3]).
        texts: stored table `id`, `text` of the items in `pack`, where there is text; sample_texts: class -> a few of train.
        choices: how each column of text is read, and why.
        drawn: id of a picture of the sample -> its boxes: (x0, y0, x1, y1) in its pixels, and the number of the class.
    """

    fields: tuple[FieldSpec, ...]
    recipe: dict[str, Any]
    pack: Ref
    test_pack: Ref
    wild_pack: Ref = ""
    shards: tuple[Ref, ...] = ()
    rows: Ref
    folds: tuple[FoldData, ...]
    fitted_final: Ref
    num_rows: int
    num_test: int
    num_wild: int = 0
    pack_bytes: int = 0
    in_memory: bool = True
    stored: str = ""
    ranges: dict[str, tuple[float, float]] = {}
    sample: dict[str, tuple[str, ...]] = {}
    pictures: Ref = ""
    texts: Ref = ""
    sample_texts: dict[str, tuple[str, ...]] = {}
    choices: tuple[str, ...] = ()
    explored: Explored = Explored()
    drawn: dict[str, tuple[tuple[tuple[float, float, float, float], int], ...]] = {}
