"""Two table projects of made-up reports: who earns more (binary), and how many bikes are hired (regression, K-fold)."""

from __future__ import annotations

import numpy as np

from surefoot.types import (
    AuditReport,
    BaselineReport,
    ColumnProfile,
    DiagnoseReport,
    ErrorRow,
    ErrorsReport,
    FieldSpec,
    FinalReport,
    Finding,
    FoldData,
    Measured,
    ModelConfig,
    Opening,
    OverfitReport,
    PreparedData,
    Problem,
    Reason,
    RefusedItem,
    Report,
    Split,
    TestReport,
    TrainConfig,
    TuneReport,
)
from surefoot.types.reports import Advice
from surefoot.types.views import RoundView

from .pieces import SHA, bundle, history, ladder, measured, sanity, score, serving, trials, walk


def columns(target: str, gaps: int) -> tuple[ColumnProfile, ...]:
    """Columns of every kind, some with gaps."""
    bell = (1, 4, 12, 30, 52, 61, 48, 27, 11, 3)
    edges = tuple(17.0 + 7.3 * i for i in range(11))
    return (
        ColumnProfile(name="age", kind="numeric", distinct=73, low=17, mean=38.6, high=90, sd=13.6, histogram=bell, edges=edges),
        ColumnProfile(name="hours per week", kind="numeric", distinct=94, low=1, mean=40.4, high=99, sd=12.3, histogram=bell[::-1], edges=edges, missing=31),
        ColumnProfile(name="occupation", kind="category", distinct=14, missing=gaps, top={"Prof-specialty": 4140, "Craft-repair": 4099, "Sales": 3650}),
        ColumnProfile(name="married", kind="boolean", distinct=2, top={"yes": 15_417, "no": 17_144}),
        ColumnProfile(name="row number", kind="numeric", role="id", distinct=32_561, low=1, mean=16_281, high=32_561),
        ColumnProfile(name=target, kind="category", role="target", distinct=2),
    )


def table_data(problem: Problem, audit: AuditReport, split: Split) -> dict[str, Report]:
    """The first four reports; the pack follows from the split."""
    fields = (
        FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("age", "hours per week")),
        FieldSpec(name="category", shape=(2,), dtype="int32", names=("occupation", "married"), cardinalities=(15, 3)),
    )
    total = split.counts.get("train", 0) + split.counts.get("val", 0)
    size = total // split.folds
    folds = tuple(FoldData(fold=fold, num_train=total - size, num_val=size, fitted=SHA) for fold in range(split.folds))
    prepared = PreparedData(
        fields=fields,
        recipe={"kind": "table", "columns": {"occupation": ["Craft-repair", "Prof-specialty", "Sales"]}},
        pack=SHA,
        test_pack=SHA,
        rows=SHA,
        folds=folds,
        fitted_final=SHA,
        num_rows=total,
        num_test=split.counts["test"],
        pack_bytes=1_040_000,
        ranges={"age": (-1.6, 3.8), "hours per week": (-3.2, 4.7)},
    )
    return {"s01_problem": problem, "s02_audit": audit, "s03_split": split, "s04_prepare": prepared}


def income_data() -> dict[str, Report]:
    """Who earns more than 50K?"""
    problem = Problem(
        question="Who earns more than 50K a year?",
        kind="table",
        task="binary",
        target=("income",),
        classes=("<=50K", ">50K"),
        metric="roc_auc",
        metrics=("accuracy", "pr_auc", "f1"),
        satisfice={"recall": 0.6},
        head="sigmoid",
        loss="binary_cross_entropy",
        num_outputs=1,
        num_items=32_561,
        reasons=(Reason(setting="problem.metric", value="roc_auc", why="Only 24 % are positive, so accuracy would flatter a model that says `<=50K` always."),),
    )
    findings = (
        Finding(
            code="data.id_column",
            severity="info",
            what="Each value of `row number` occurs once: it names rows and is not an input.",
            where="column row number",
            evidence={"distinct": 32_561, "rows": 32_561},
        ),
    )
    balance = {"<=50K": 24_720, ">50K": 7_841}
    audit = AuditReport(fingerprint="f", num_items=32_561, num_usable=32_561, index=SHA, balance=balance, columns=columns("income", 1843), findings=findings)
    counts = {"train": 19_537, "val": 6_512, "test": 6_512}
    classes = {which: {"<=50K": int(0.76 * count), ">50K": count - int(0.76 * count)} for which, count in counts.items()}
    split = Split(sets=SHA, protocol="holdout", folds=1, by="stratified", counts=counts, class_counts=classes, resolves=0.006)
    return table_data(problem, audit, split)


def income_models() -> dict[str, Report]:
    """A baseline that beats the net."""
    models = {
        "majority": score(0.5, 0.0, train_value=0.5, seconds=0.01),
        "linear": score(0.906, 0.007, train_value=0.907, metrics={"accuracy": 0.851}, seconds=0.9),
        "knn": score(0.861, 0.009, train_value=0.999, metrics={"accuracy": 0.832}, seconds=2.2, rows=19_537),
        "boosting": score(0.928, 0.006, train_value=0.945, metrics={"accuracy": 0.873}, seconds=1.6),
    }
    rungs = ladder([(1_900, 0.91, 0.9), (9_400, 0.93, 0.912), (61_000, 0.989, 0.89)])
    model, train = ModelConfig(width=64, depth=2), TrainConfig(lr=0.002, batch_size=256, epochs=8)
    search = trials(24, 0.915, 0.03)
    return {
        "s05_baseline": BaselineReport(models=models, best="boosting", trivial="majority"),
        "s06_sanity": sanity(0.693, 1),
        "s07_overfit": OverfitReport(ladder=rungs, chosen=2, model=model, train=train, goal=0.928, turned=True),
        "s08_tune": TuneReport(
            winner="boosting",
            val=models["boosting"],
            net=score(0.915, 0.007),
            weights=(SHA,),
            model=model,
            train=train,
            epochs=8,
            best_epoch=6,
            threshold=0.31,
            trials=search,
            history=history(12, start=0.5, floor=0.3),
            versus_baseline=measured(-0.013, 0.004),
            looks=27,
        ),
    }


def income_answers() -> dict[str, Report]:
    """What is left of the road, for the boosting winner."""
    rates = np.linspace(0, 1, 60)
    confusion = ((4_640, 304), (522, 1_046))
    per_class = {
        "<=50K": {"precision": 0.9, "recall": 0.94, "f1": 0.92, "support": 4944},
        ">50K": {"precision": 0.77, "recall": 0.67, "f1": 0.72, "support": 1568},
    }
    diagnosis = DiagnoseReport(
        errors={"human": None, "train": measured(0.055, 0.003, 19_537), "train_dev": None, "val": measured(0.072, 0.006, 6_512)},
        gaps={"bias": measured(0.055, 0.003), "variance": measured(0.017, 0.007), "mismatch": None},
        verdict="variance",
        unit="error",
        advice=(Advice(term="variance", what="Regularise the trees: fewer leaves, more items in each.", could_bring=0.01),),
        ece=0.011,
        reliability=tuple((x, x + 0.02 * np.sin(6 * x), 400) for x in (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)),
        confusion=confusion,
        per_class=per_class,
        roc={">50K": tuple((float(x), float(x**0.12)) for x in rates)},
        pr={">50K": tuple((float(x), float(1 - 0.76 * x**4)) for x in rates)},
        metrics={"accuracy": 0.873, "pr_auc": 0.829, "recall": 0.667},
    )
    rows = tuple(
        ErrorRow(id=f"row{i:08d}", place=f"adult.csv:{411 * i + 2}", target="<=50K", pred=">50K", confidence=0.97 - 0.02 * i, loss=3.1, tags=("married",))
        for i in range(14)
    )
    test = TestReport(
        metric="roc_auc",
        value=0.9261,
        interval=(0.9197, 0.9322),
        n=6_512,
        metrics={"accuracy": 0.871},
        per_class=per_class,
        tuned=score(0.9262, 0.006),
        val_value=0.928,
        confusion=confusion,
        openings=(
            Opening(number=1, round=1, why="the end of the road", when="2025-03-14 10:21"),
            Opening(number=2, round=1, why="a reviewer asked for the value without `fnlwgt`", when="2025-03-20 16:02"),
        ),
    )
    return {
        "s09_diagnose": diagnosis,
        "s10_errors": ErrorsReport(num_wrong=826, num_val=6_512, rows=rows, tags={"married": 14}, ceilings={"married": measured(0.07, 0.01)}),
        "s11_final": FinalReport(winner="boosting", model=SHA, model_config_used=ModelConfig(), num_rows=26_049, start="scratch"),
        "s12_export": bundle(),
        "s13_test": test,
        "s14_serve": serving(),
    }


def income_project() -> list[RoundView]:
    """A binary table project, walked to the end, whose sanity gate was gone past."""
    reports = {**income_data(), **income_models(), **income_answers()}
    stop = Finding(code="model.saturated", severity="stop", what="Half of the units are saturated.", where="layer 2", next="Use `relu`.")
    reports["s06_sanity"] = reports["s06_sanity"].model_copy(update={"findings": (stop,)})
    return [RoundView(1, None, walk(reports, s06_sanity={"past": "the units come from my own layer, and it is meant so"}))]


def bikes_data() -> dict[str, Report]:
    """How many bikes are hired in an hour? Five folds, in the order of time."""
    problem = Problem(
        question="How many bikes will be hired in the next hour?",
        kind="table",
        task="regression",
        target=("cnt",),
        metric="rmse",
        metrics=("mae", "r2", "median_ae"),
        goal=45.0,
        head="identity",
        loss="mse",
        num_outputs=1,
        num_items=900,
        log_target=True,
    )
    edges = tuple(float(edge) for edge in range(0, 1001, 100))
    counts = (420, 180, 110, 74, 46, 30, 19, 12, 6, 3)
    balance = {f"{low:g}": count for low, count in zip(edges, counts)}
    refused = tuple(RefusedItem(place=f"bike.csv:{31 * i}", reason="the row has 14 cells, and the header 15", code="data.corrupt_item") for i in range(1, 21))
    audit = AuditReport(
        fingerprint="f", num_items=920, num_usable=900, index=SHA, refused=refused, balance=balance, balance_edges=edges, columns=columns("cnt", 122)
    )
    split = Split(sets=SHA, protocol="kfold", folds=5, by="time", counts={"train": 540, "val": 180, "test": 180}, resolves=0.11, is_amount=True, newcomers=4)
    return table_data(problem, audit, split)


def bikes_models() -> dict[str, Report]:
    """Smaller is better, and the net wins by a little."""
    models = {
        "mean": score(181.4, 6.0, train_value=180.9),
        "linear": score(139.8, 5.1, train_value=138.0),
        "boosting": score(52.3, 3.4, train_value=31.8, metrics={"r2": 0.917}),
    }
    rungs = ladder([(1_300, 101.0, 106.0), (7_900, 49.1, 58.2), (41_000, 21.3, 55.0)], is_error=True)
    model, train = ModelConfig(width=64, depth=3), TrainConfig(lr=0.004, epochs=30)
    net = score(49.6, 3.3, fold_values=(47.1, 50.2, 51.3, 48.8, 50.6))
    return {
        "s05_baseline": BaselineReport(models=models, best="boosting", trivial="mean"),
        "s06_sanity": sanity(0.71, 1),
        "s07_overfit": OverfitReport(ladder=rungs, chosen=2, model=model, train=train, goal=52.3, turned=False),
        "s08_tune": TuneReport(
            winner="net",
            val=net,
            net=net,
            weights=(SHA,) * 5,
            model=model,
            train=train,
            epochs=30,
            best_epoch=30,
            trials=trials(30, 49.6, 22.0, is_error=True),
            history=history(30, start=150.0, floor=48.0, is_error=True),
            versus_baseline=Measured(value=-2.7, interval=(-6.1, 0.7), n=720),
        ),
    }


def bikes_project() -> list[RoundView]:
    """A regression by K-fold, walked as far as the error table."""
    random = np.random.default_rng(1)
    truth = random.gamma(1.1, 170, 700) + 1
    guess = np.maximum(1, truth * random.lognormal(0, 0.25, 700))
    diagnosis = DiagnoseReport(
        errors={"human": None, "train": measured(21.3, 1.1, 576), "train_dev": None, "val": measured(49.6, 3.3, 720)},
        gaps={"bias": measured(21.3, 1.1), "variance": measured(28.3, 3.5), "mismatch": None},
        verdict="variance",
        unit="rmse",
        advice=(Advice(term="variance", what="Get more rows: the curve still falls.", could_bring=6.5, command="surefoot run --from audit"),),
        curve={str(part): measured(49.6 + 40 * (1 - part), 4.0) for part in (0.25, 0.5, 1.0)},
        residuals=tuple((float(t), float(p)) for t, p in zip(truth, guess)),
        metrics={"mae": 31.2, "r2": 0.926},
    )
    rows = tuple(
        ErrorRow(id=f"row{i:08d}", place=f"bike.csv:{60 * i}", target=f"{310 + i}", pred=f"{180 - i}", loss=1.9 - 0.05 * i, tags=("rain",)) for i in range(9)
    )
    errors = ErrorsReport(num_wrong=72, num_val=720, rows=rows, tags={"rain": 9})
    reports = {**bikes_data(), **bikes_models(), "s09_diagnose": diagnosis, "s10_errors": errors}
    return [RoundView(1, None, walk(reports))]
