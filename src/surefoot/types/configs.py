"""Every setting, with its default, its range and what it means. `surefoot.toml` is these classes, written down.

The docs list each key (tests compare), the JSON Schema is made from them, and a step's config is part of its cache key.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Frac = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """A table of the settings file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourceConfig(Section):
    """One of several sources, a table `[[data.sources]]`."""

    path: str = Field(min_length=1, description="Where it is, as `data.source` says it.")
    name: str = Field("", description="What reports call it; empty: its last part.")
    role: Literal["practical", "general"] = Field(
        "practical", description="`practical`: like the data the model will meet; `general`: from elsewhere, trained on only, never chosen or judged on."
    )
    labels: Literal["labelled", "raw"] = Field("labelled", description="`raw`: without labels; its items are counted, never trained on.")


class DataConfig(Section):
    """Where the data is and what its columns mean."""

    source: str = Field("", description="Folder, archive, shards, table, arrays, IDX, an address, `sklearn:NAME`, `hub:NAME` or `my_code:Name`.")
    sources: list[SourceConfig] = Field([], description="Several sources, each a table `[[data.sources]]`; `data.source` stays the first where it is said.")
    test: str = Field("", description="A test set that was given apart; it stays the test set.")
    wild: str = Field("", description="Data from where the model will be used; scored beside the test set, never trained on.")
    target: str | list[str] = Field(
        "", description="Target column, or columns, of a table or of a list beside pictures (`label`: their class folders); inferred when left out."
    )
    id: str = Field("", description="Column that names the rows; never an input.")
    ignore: list[str] = Field([], description="Columns that are not inputs.")
    weight: str = Field("", description="Column with the weight of each row in the loss.")
    repairs: str = Field(
        "repairs.csv", description="Corrections (`drop`, `relabel`, `rotate`, `convert`, or `keep` as it is) that are applied where the file is there."
    )
    text: list[str] = Field([], description="Columns to read as text, whatever they look like; others are known by what they hold.")
    tokens: int = Field(0, ge=0, le=4096, description="Words of a text that the net reads; 0: as many as 99 % of the train texts have, at most 256.")
    tokenizer: str = Field("", description="`tokenizer.json` of a pretrained net, or a local folder that holds it; empty: a vocabulary learned from train.")
    side: int = Field(0, ge=0, le=1024, description="Pictures are packed with this many pixels a side; 0: chosen from their sizes and the budget.")
    memory_mb: float = Field(2048.0, gt=0, description="Packs up to this size are held in memory, larger ones are read from disk in batches.")


Missing = Literal["indicator", "median", "mean", "most_frequent", "constant", "model", "drop"]
Scale = Literal["robust", "standard", "minmax", "quantile", "none"]
Encoding = Literal["embedding", "onehot", "frequency"]


class ColumnConfig(Section):
    """What holds for one column of a table; what is not said stays as it is for all."""

    missing: Missing | None = Field(None, description="As `prepare.missing`.")
    missing_value: float | None = Field(None, description="As `prepare.missing_value`.")
    scale: Scale | None = Field(None, description="As `prepare.scale`.")
    encoding: Encoding | None = Field(None, description="As `prepare.encoding`.")


class PrepareConfig(Section):
    """How items become what a net is given. What is measured for it is measured on train items alone, per fold, and ships inside the exported graph."""

    resize: Literal["auto", "cover", "fit", "stretch"] = Field(
        "auto",
        description="Pictures of another size are cropped around their centre, laid on black without a loss, or stretched; `auto`: `cover`, with boxes `fit`.",
    )
    short_side: int = Field(
        0, ge=0, le=2048, description="With `cover`: pixels to which the shorter side is brought before `data.side` is cut out; 0: the same."
    )
    colour: Literal["auto", "grey", "rgb"] = Field("auto", description="`auto`: grey only where all pictures are grey.")
    encode: Literal["auto", "decoded", "jpeg"] = Field(
        "auto",
        description="How packs store pictures; `auto`: as pixels, as JPEG where these have more than 96 a side and take more than a quarter of the free disk.",
    )
    quality: int = Field(95, ge=1, le=100, description="Of pictures that are stored as JPEG; JPEG files of the wanted size are kept as they are.")
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="Processes that decode pictures; 0: one a core where that pays, else threads of this one; 1: none, save one for what no audit has seen.",
    )
    missing: Missing = Field(
        "indicator",
        description="Gaps in numbers: filled by the median, and a column says where; or by a statistic, a constant, or a linear model of the other columns; "
        "`drop`: rows with gaps are not trained on. `most_frequent` fills categories too, for which a gap is else a category of its own.",
    )
    missing_value: float = Field(0.0, description='What `missing = "constant"` fills in.')
    scale: Scale = Field(
        "robust", description="Numbers: by median and quartiles with outliers bent in, mean and deviation, range, rank among the train values, or as they are."
    )
    encoding: Encoding = Field(
        "embedding", description="Categories: codes for which the net learns vectors, one column each, or their share of the train rows."
    )
    dates: Literal["parts", "cyclic"] = Field(
        "parts", description="Months, weekdays and hours as numbers, or as sine and cosine, so that December lies by January."
    )
    columns: dict[str, ColumnConfig] = Field({}, description='For single columns, e.g. `[prepare.columns.age]` with `missing = "mean"`.')


class ProblemConfig(Section):
    """The question; all of it is inferred when left out."""

    task: Literal["", "binary", "multiclass", "multilabel", "regression", "vector_regression", "detection"] = Field("", description="What is predicted.")
    metric: str = Field("", description="The one metric that is optimised.")
    goal: float | None = Field(None, description="The value of the metric that would do.")
    human: float | None = Field(None, description="The value of the metric that a careful person reaches.")
    satisfice: dict[str, float] = Field(
        {},
        description="Metrics that must merely suffice, each with its bound: of the nets trained in full, and of the net and the best simple "
        "model, the one that misses the fewest by more than noise goes on, and a bound that the winner misses is a finding.",
    )
    threshold: Frac | None = Field(None, description="Prob from which on the positive class (binary) or a label (multilabel) is said; left out: chosen on val.")
    miss_cost: float = Field(0.0, ge=0, description="What missing a positive item costs: the threshold is the cheapest on val; 0 of both: no costs.")
    alarm_cost: float = Field(0.0, ge=0, description="What a false alarm costs, in the unit of `problem.miss_cost`.")
    least_precision: Frac = Field(
        0.0, description="Precision that is due, of the positive class or of each label: the threshold has the highest recall that keeps it on val; 0: none."
    )
    least_recall: Frac = Field(
        0.0, description="Recall that is due, of the positive class or of each label: the threshold has the highest precision that keeps it on val; 0: none."
    )


class SplitConfig(Section):
    """Who is trained on, who chooses, who judges."""

    train: Frac = Field(0.6, description="Share of the items to train on.")
    val: Frac = Field(0.2, description="Share of the items to choose on.")
    test: Frac = Field(0.2, description="Share of the items sealed for the end.")
    protocol: Literal["auto", "holdout", "kfold", "iterated_kfold"] = Field("auto", description="How val is formed; auto: K-fold under 1,000 items.")
    folds: int = Field(5, ge=2, le=100, description="K of K-fold.")
    iterations: int = Field(3, ge=1, le=100, description="How often iterated K-fold shuffles and splits anew.")
    group: str = Field("", description="Column whose equal values never straddle two sets.")
    column: str = Field("", description="Column whose values train, val and test say which set a row belongs to; an empty cell leaves it open.")
    train_dev: Annotated[float, Field(ge=0.0, le=0.5)] = Field(
        0.1, description="Share of the items of general sources held out, to tell a mismatch of the sources from variance."
    )
    group_by: Literal["", "content"] = Field("content", description="`content`: equal items never straddle two sets; empty: they may, and it is reported.")
    time: str = Field("", description="Column of time: train on the past, choose on what follows, test on the last; `none` shuffles although rows are dated.")


class ModelConfig(Section):
    """The net: a notation, a user's own module, or the default for the data."""

    layers: str = Field("", description="Layer notation, e.g. `INPUT -> [[CONV -> RELU]*2 -> POOL]*2 -> FC`; empty: the default for the data.")
    use: str = Field("", description="The user's own module, `file:Name`, or a part's short name.")
    width: int = Field(0, ge=0, le=4096, description="Channels of the first stage or units of a layer; 0: found by the overfit step.")
    depth: int = Field(0, ge=0, le=64, description="Layers per stage or hidden layers; 0: found by the overfit step.")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.0, description="Share of units dropped before the last layer.")
    views: Literal["none", "flip", "shift", "flip_shift"] = Field(
        "none", description="Views of a picture over which a trained net averages; they ship with it."
    )


class TrainConfig(Section):
    """How a net is fitted."""

    optimizer: str = Field("adamw", description="Short name of an optimizer (`surefoot parts`) or `file:name`.")
    lr: float = Field(0.0, ge=0, description="Peak learning rate; 0: chosen by the search.")
    schedule: str = Field("onecycle", description="Short name of a schedule or `file:name`.")
    warmup: Frac = Field(0.0, description="Share of the steps in which lr rises to its peak; 0: none, or the schedule's own (`onecycle`, `wsd`).")
    milestones: list[float] = Field([], description="Shares of the run at which `multistep` drops lr; empty: at 0.3, 0.6 and 0.8.")
    gamma: Frac = Field(0.0, description="Factor of a drop (`step`, `multistep`), or what is left at the end (`exponential`); 0: the schedule's own.")
    power: float = Field(1.0, gt=0, le=100, description="Of `polynomial`: 1 falls evenly, more falls early, less falls late.")
    lr_range_test: bool = Field(False, description="Where lr is left open: find it by raising it for at most 100 steps before the first training (s07).")
    batch_size: int = Field(0, ge=0, description="Items per step; 0: by the size of the data.")
    epochs: float = Field(0.0, ge=0, description="Passes over the train set; 0: by the budget.")
    weight_decay: float = Field(0.01, ge=0, description="Decoupled weight decay.")
    l1: float = Field(0.0, ge=0, description="L1 penalty on the weights.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of `momentum`, `nesterov`, `rmsprop`, `muon`; first beta of `adam`, `adamw`.")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="Share of the target spread over all classes.")
    augment: str = Field("", description="Augmentations joined by `+`, e.g. `affine+colour(0.5)`; empty: chosen by the search; `none`: none.")
    averaging: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="Decay per step of the moving average of the weights, which rises to it; 0: off.")
    lookahead: int = Field(0, ge=0, description="Steps between those at which the weights go back half of the way to where they were; 0: off.")
    mixup: float = Field(0.0, ge=0, description="Alpha of mixup: each item is blended with another; 0: off.")
    cutmix: float = Field(0.0, ge=0, description="Alpha of cutmix: a rectangle of another picture is pasted in; 0: off.")
    sampling: Literal["plain", "balanced", "grouped"] = Field(
        "plain", description="Every item once an epoch; every class as often as any other; or each once, the items of a group (`split.group`) spread evenly."
    )
    clip: float = Field(0.0, ge=0, description="Largest norm of the gradient; 0: no clipping.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field("auto", description="Of forward and backward passes; `auto`: the fastest, as measured.")
    compile: Literal["auto", "on", "graphs", "off"] = Field(
        "auto", description="torch.compile, or that and CUDA graphs; `auto`: where a run is so long that it pays, as measured."
    )
    micro_batch: int = Field(0, ge=0, description="Items at a time, if a batch does not fit into memory; 0: the whole batch, halved where it does not fit.")
    shard: Literal["auto", "on", "off"] = Field("auto", description="Several processes share the weights too; `auto`: where no device holds the whole net.")
    class_weights: Literal["none", "balanced"] = Field("none", description="Weight of each class in the loss.")
    loss: str = Field("", description="Short name of a loss or `file:name`; empty: the task's own.")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads; 0: measured once per project and written down.")
    snapshot_epochs: float = Field(0.0, ge=0, description="Epochs between checkpoints; 0: one an epoch, at least 100 steps apart.")
    snapshot_steps: int = Field(0, ge=0, description="Steps between checkpoints; 0: as `train.snapshot_epochs` says.")
    val_epochs: float = Field(0.0, ge=0, description="Epochs between looks at val; 0: one.")
    val_steps: int = Field(0, ge=0, description="Steps between looks at val; 0: as `train.val_epochs` says.")
    patience: int = Field(0, ge=0, description="Looks at val in a row without a better one, after which training ends; 0: it goes on to its end.")
    phases: list[PhaseConfig] = Field([], description="Declared phases of the final training, each a table `[[train.phases]]`.")


class PhaseConfig(Section):
    """One phase of the final training: what is not said stays as it was."""

    epochs: float = Field(gt=0, description="Passes in this phase.")
    lr: float | None = Field(None, gt=0, description="Peak learning rate.")
    schedule: str | None = Field(None, description="Schedule of this phase.")
    batch_size: int | None = Field(None, gt=0, description="Items per step.")
    optimizer: str | None = Field(None, description="Optimizer of this phase; each phase starts without the state of the one before.")
    data: Literal["train", "train+val"] = Field("train+val", description="What this phase trains on.")


class Space(Section):
    """The range of one searched setting."""

    log_uniform: tuple[float, float] | None = Field(None, description="Drawn evenly on a log scale.")
    uniform: tuple[float, float] | None = Field(None, description="Drawn evenly.")
    choice: list[Any] | None = Field(None, description="Drawn from a list.")
    level: Literal["high", "middle", "low"] = Field("middle", description="How much it usually matters.")
    role: Literal["scientific", "nuisance", "fixed"] = Field("nuisance", description="Asked about, merely tuned, or held.")


class SearchConfig(Section):
    """How settings are searched."""

    trials: int = Field(10, ge=1, le=10_000, description="Settings tried for at most an epoch.")
    keep: int = Field(3, ge=1, le=100, description="How many of them train longer.")
    sampler: str = Field("random", description="`random`, `qmc` or `tpe`.")
    space: dict[str, Space] = Field({}, description='Ranges, e.g. `"train.lr" = { log_uniform = [1e-4, 1.0] }`; defaults fill what is not said.')


class BaselineConfig(Section):
    """What to beat."""

    rows: int = Field(20_000, ge=100, description="Most items the simple models train on; more are sampled, and said so.")


class ErrorsConfig(Section):
    """The error table."""

    rows: int = Field(100, ge=1, le=100, description="Wrong val items in the sample, at most.")
    tags: list[str] = Field([], description="Your own tag columns.")
    neighbours: int = Field(3, ge=0, le=10, description="Nearest train items shown beside each error; 0: none.")
    doubted: int = Field(100_000, ge=0, description="Train items whose label is doubted by models that did not see them, at most; 0: val alone.")


class FinalConfig(Section):
    """The last training."""

    start: Literal["scratch", "checkpoint"] = Field("scratch", description="Train anew, or go on from the tuned model's weights.")
    more: list[PhaseConfig] = Field(
        [],
        description="Phases behind the last one, for a training that ended too soon: it goes on from its last weights, at a tenth of the last lr unless said.",
    )


class ServeConfig(Section):
    """The model behind HTTP."""

    requests: int = Field(200, ge=10, description="Requests of the latency measurement.")


class Settings(Section):
    """The whole of `surefoot.toml`."""

    question: str = Field("", description="What the project wants to know, in your words.")
    budget: str = Field("20m", pattern=r"^(smoke|\d+(\.\d+)?[smh])$", description="The one dial: `smoke`, or a time such as `20m` or `8h`.")
    seed: int = Field(0, ge=0, lt=2**31, description="Every random draw follows from it.")
    device: str = Field("auto", description="`auto`, `cpu`, `cuda`, `cuda:1`.")
    data: DataConfig = DataConfig()
    prepare: PrepareConfig = PrepareConfig()
    problem: ProblemConfig = ProblemConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    search: SearchConfig = SearchConfig()
    baseline: BaselineConfig = BaselineConfig()
    errors: ErrorsConfig = ErrorsConfig()
    final: FinalConfig = FinalConfig()
    serve: ServeConfig = ServeConfig()


TrainConfig.model_rebuild()
FinalConfig.model_rebuild()


# What each step is given: the sections it depends on, and so the settings whose change makes it run again.


class ProblemStepConfig(Section):
    question: str = ""
    data: DataConfig = DataConfig()
    problem: ProblemConfig = ProblemConfig()


class AuditStepConfig(Section):
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()


class SplitStepConfig(Section):
    split: SplitConfig = SplitConfig()


class PrepareStepConfig(Section):
    budget: str = "20m"
    data: DataConfig = DataConfig()
    prepare: PrepareConfig = PrepareConfig()


class BaselineStepConfig(Section):
    budget: str = "20m"
    data: DataConfig = DataConfig()
    baseline: BaselineConfig = BaselineConfig()


class NetStepConfig(Section):
    """For every step that builds and fits a net."""

    budget: str = "20m"
    device: str = "auto"
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()


class SanityStepConfig(NetStepConfig):
    pass


class OverfitStepConfig(NetStepConfig):
    problem: ProblemConfig = ProblemConfig()


class TuneStepConfig(NetStepConfig):
    problem: ProblemConfig = ProblemConfig()
    search: SearchConfig = SearchConfig()


class DiagnoseStepConfig(NetStepConfig):
    problem: ProblemConfig = ProblemConfig()


class ErrorsStepConfig(NetStepConfig):
    data: DataConfig = DataConfig()
    errors: ErrorsConfig = ErrorsConfig()


class FinalStepConfig(NetStepConfig):
    final: FinalConfig = FinalConfig()


class ExportStepConfig(Section):
    data: DataConfig = DataConfig()


class TestStepConfig(Section):
    __test__: ClassVar[bool] = False
    data: DataConfig = DataConfig()


class ServeStepConfig(Section):
    serve: ServeConfig = ServeConfig()
