"""Reports of s05 to s14 but s10: small, JSON, and enough to draw their part of the page. Arrays are named by their hash in the store."""

from __future__ import annotations

from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.data_reports import Ref
from surefoot.types.examples import Threshold
from surefoot.types.findings import Measured, Plain, Report


class ModelScore(Plain):
    """A model's metric on the pooled held-out items, and what else is said of it.

    `n` and `items` are those of `Measured`. `rows` and `rounds` bound what a simple model was fitted on: train rows, and trees per class of boosting.
    """

    value: float
    interval: tuple[float, float] | None = None
    n: int = 0
    items: int = 0
    train_value: float | None = None
    metrics: dict[str, float] = {}
    fold_values: tuple[float, ...] = ()
    seconds: float = 0.0
    rows: int = 0
    rounds: int = 0
    predictions: Ref = ""
    model: Ref = ""


class BaselineReport(Report):
    """s05: the number to beat. `models` by name; `best` among all, `trivial` the best of those that learn nothing."""

    models: dict[str, ModelScore]
    best: str
    trivial: str


class Check(Plain):
    """One sanity check: what was measured, what was due, and whether it holds."""

    name: str
    measured: float | None = None
    expected: str = ""
    ok: bool = True
    what: str = ""


class SanityReport(Report):
    """s06: whether the net can learn at all. `curves` hold the losses of the runs it made, by name."""

    checks: tuple[Check, ...]
    curves: dict[str, tuple[float, ...]] = {}
    num_parameters: int = 0
    flops: int = 0
    layers: str = ""


class EpochRecord(Plain):
    """One look at a run, usually an epoch: losses are means per item since the one before; `lr` at its end; `seconds` is never compared.

    `update_ratio` is how far the last step moved the weights, relative to their norm; `dead_frac` and `saturated_frac` are those of the worst layer;
    `micro_batch` items were taken at a time (0: the whole batch).
    """

    epoch: float
    step: int
    loss: float
    val_loss: float | None = None
    train_metric: float | None = None
    val_metric: float | None = None
    lr: float = 0.0
    grad_norm: float = 0.0
    update_ratio: float = 0.0
    dead_frac: float | None = None
    saturated_frac: float | None = None
    micro_batch: int = 0
    seconds: float = 0.0


class ModelSize(Plain):
    """A rung of the ladder of models: its dials, parameters, train items per second, and how far it got; `fault`: where it diverged, if it did."""

    model: ModelConfig
    parameters: int
    flops: int
    rate: float = 0.0
    epochs: float
    train_value: float
    val_value: float
    history: tuple[EpochRecord, ...] = ()
    fault: str = ""


class LrRange(Plain):
    """The lr range test: `lr` was chosen, after `losses`, smoothed, of steps with growing `lrs`."""

    lr: float
    lrs: tuple[float, ...]
    losses: tuple[float, ...]


class OverfitReport(Report):
    """s07: a model big enough to overfit. `chosen` is the index in `ladder`; `goal` what its train value had to reach.

    `lr_range` is the lr range test, where one was asked for: its lr is the middle of the search in s08.
    """

    ladder: tuple[ModelSize, ...]
    chosen: int
    model: ModelConfig
    train: TrainConfig
    goal: float
    turned: bool
    lr_range: LrRange | None = None


class Trial(Plain):
    """One setting of the search: dotted setting -> value, how long it trained, and what it reached on val."""

    number: int
    settings: dict[str, float | int | str]
    rung: int
    epochs: float
    value: float | None
    loss: float | None = None
    state: str = "done"
    seconds: float = 0.0


class TuneReport(Report):
    """s08: the winner over all candidates, and what the search saw.

    Attributes:
        winner: `net`, or the name of the baseline that beat it.
        by_metric: whom the metric alone would have sent on, where bounds (`problem.satisfice`) decided otherwise; else empty.
        val: the winner's metric on the pooled held-out items, with its interval; predictions and weights in the store.
        net: the net's own score, also where a baseline won.
        rival: the best baseline as it would ship: at its own temperature and threshold, at which the net was compared with it.
        versus_baseline: the net's metric minus the rival's, by the paired comparison.
        model, train: the settings of the best net, everything resolved.
        epochs: how long the best net trained when it was best; s11 uses it unchanged.
        temperature: divides the winner's logits, fitted on the held-out predictions; 1 for regression.
        threshold: decision threshold of the positive class (binary), or of each label (multilabel); 0.5 unless chosen; net_threshold: the net's own.
        history: of the winner's first fold.
    """

    winner: str
    val: ModelScore
    net: ModelScore
    weights: tuple[Ref, ...]
    model: ModelConfig
    train: TrainConfig
    epochs: float
    best_epoch: float
    temperature: float = 1.0
    threshold: Threshold = 0.5
    net_threshold: Threshold = 0.5
    trials: tuple[Trial, ...] = ()
    history: tuple[EpochRecord, ...] = ()
    rival: ModelScore | None = None
    versus_baseline: Measured | None = None
    looks: int = 0
    by_metric: str = ""

    @property
    def is_evened(self) -> bool:
        """Whether the winner learnt from classes of even weight or share, so that its probs are those of a world in which all are as frequent."""
        return self.winner == "net" and "balanced" in (self.train.class_weights, self.train.sampling)


class Advice(Plain):
    """What to do next: the term it works on, what it could bring in units of error, and the command."""

    term: str
    what: str
    could_bring: float | None = None
    command: str = ""


class ThresholdChoice(Plain):
    """A decision threshold and what it comes to on val.

    Attributes:
        rule: why this one. value: of the metric. precision, recall: of the positive class.
        cost: mean cost of an item, where mistakes have one. label: which one it is about (multilabel), whose F1 is the value.
    """

    rule: str
    threshold: float
    value: float
    precision: Measured
    recall: Measured
    cost: float | None = None
    label: str = ""


class DiagnoseReport(Report):
    """s09: where the error comes from.

    Attributes:
        errors: human, train, train_dev, val -> error (1 - metric, or the metric itself where smaller is better).
        gaps: bias, variance, mismatch -> difference with interval.
        verdict: the largest gap beyond its noise, or `none`.
        grid: the same rows in two columns, `general` and `practical` data. human_from: `given`, `measured`, or empty where neither.
        label_noise: share of val's labels that look wrong: what no model can get right but by luck.
        curve: share of the rows that s08's winner was trained on -> val error, from its setting trained on parts for as many epochs, or trees; at 1 the winner
            itself. `n` counts the rows.
        expandability: source -> val error that twice its data would take away.
        looks: how often val was looked at in the project; val_corrected: the metric with an interval that holds for the best of so many.
        thresholds: what decision thresholds come to on val (binary, multilabel).
        intervals: metric -> 95 % interval. class_intervals: class -> those of precision and recall.
        ece: expected calibration error after temperature, with its 95 % interval, and what it would be at most (97.5 %) if every prob were right.
        reliability: (mean prob, accuracy, items) per bin.
        confusion: counts, row = target, column = pred, in class order.
        per_class: class -> {precision, recall, f1, support}.
        roc, pr: points (x, y) per class shown.
    """

    errors: dict[str, Measured | None]
    gaps: dict[str, Measured | None]
    verdict: str
    unit: str
    advice: tuple[Advice, ...] = ()
    grid: dict[str, dict[str, Measured | None]] = {}
    human_from: str = ""
    label_noise: Measured | None = None
    curve: dict[str, Measured] = {}
    expandability: dict[str, float] = {}
    looks: int = 0
    val_corrected: Measured | None = None
    thresholds: tuple[ThresholdChoice, ...] = ()
    intervals: dict[str, tuple[float, float]] = {}
    class_intervals: dict[str, dict[str, tuple[float, float]]] = {}
    ece: float | None = None
    ece_interval: tuple[float, float] | None = None
    ece_by_chance: float = 0.0
    reliability: tuple[tuple[float, float, int], ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_class: dict[str, dict[str, float]] = {}
    roc: dict[str, tuple[tuple[float, float], ...]] = {}
    pr: dict[str, tuple[tuple[float, float], ...]] = {}
    residuals: tuple[tuple[float, float], ...] = ()
    metrics: dict[str, float] = {}


class PhaseRecord(Plain):
    """A phase of the final training, as it ran.

    Attributes:
        weights: stored, as they were at its end; empty for a simple model and after a fault.
        made_by: hash of all that they depend on; a training that is made longer takes over the phases it shares with the one before.
    """

    name: str
    epochs: float
    lr: float
    batch_size: int
    optimizer: str
    num_rows: int
    history: tuple[EpochRecord, ...] = ()
    weights: Ref = ""
    made_by: str = ""


class FinalReport(Report):
    """s11: the last training. `model` names the stored weights (net) or model file (baseline)."""

    winner: str
    model: Ref
    model_config_used: ModelConfig
    phases: tuple[PhaseRecord, ...] = ()
    num_rows: int
    start: str
    kernels: Ref = ""


class ExportReport(Report):
    """s12: the bundle. `files` name -> SHA-256, under which the store has them too; `parity` name -> largest difference and its bound."""

    folder: str
    kind: str
    files: dict[str, str]
    parity: dict[str, float]
    num_compared: int
    bytes: int
    tuned_folder: str = ""


class Opening(Plain):
    """One opening of the test set: when, in which round, and why."""

    number: int
    round: int
    why: str
    when: str


class TestReport(Report):
    """s13: the truth. `value` is the final bundle's metric on the test set; `tuned` the tuned model's, scored in the same opening.

    Attributes:
        n, items: as in `Measured`.
        grid: the whole table of errors, human to wild, in two columns; gaps: all five; verdict: the largest beyond its noise.
        intervals: metric -> 95 % interval. class_intervals: class -> those of precision and recall.
        card: ref of the model card that tells the figure.
    """

    __test__ = False

    metric: str
    value: float
    interval: tuple[float, float] | None
    n: int
    items: int = 0
    metrics: dict[str, float] = {}
    per_class: dict[str, dict[str, float]] = {}
    wild: ModelScore | None = None
    tuned: ModelScore | None = None
    val_value: float | None = None
    slices: dict[str, Measured] = {}
    grid: dict[str, dict[str, Measured | None]] = {}
    gaps: dict[str, Measured | None] = {}
    verdict: str = ""
    intervals: dict[str, tuple[float, float]] = {}
    class_intervals: dict[str, dict[str, tuple[float, float]]] = {}
    confusion: tuple[tuple[int, ...], ...] = ()
    openings: tuple[Opening, ...]
    predictions: Ref = ""
    card: Ref = ""


class ServeReport(Report):
    """s14: the bundle behind HTTP, measured on this machine."""

    url: str
    requests: int
    latency_ms: dict[str, float]
    throughput: float
    agrees: bool
    command: str
