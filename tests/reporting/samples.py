"""A picture project of made-up reports with plausible values, walked to the end, stopped on the way, or not begun."""

from __future__ import annotations

import math

import numpy as np

from surefoot.types import (
    AuditReport,
    BaselineReport,
    DiagnoseReport,
    ErrorRow,
    ErrorsReport,
    Explored,
    FieldSpec,
    FinalReport,
    Finding,
    FoldData,
    LrRange,
    Measured,
    Mislabel,
    ModelConfig,
    Opening,
    OverfitReport,
    PhaseRecord,
    PreparedData,
    Problem,
    Reason,
    RefusedItem,
    Report,
    ShownItem,
    Split,
    Spread,
    TestReport,
    TrainConfig,
    TuneReport,
)
from surefoot.types.reports import Advice
from surefoot.types.views import RoundView

from .pieces import SHA, MemoryStore, bundle, digit_pictures, history, ladder, measured, sanity, score, serving, trials, walk

DIGITS = tuple(str(digit) for digit in range(10))


def image_audit() -> AuditReport:
    """Digits with duplicates and a few files that can't be read."""
    refused = (
        RefusedItem(place="photos/3/img_0041.png", reason="the file ends too soon", code="data.corrupt_item"),
        RefusedItem(place="photos/.DS_Store", reason="not a picture", code="data.wrong_type"),
    )
    findings = (
        Finding(
            code="data.conflicting_labels",
            severity="warn",
            what="4 pictures lie under two labels.",
            where="photos/3/img_0107.png = photos/5/img_0107.png",
            next="Decide for one label each, then `surefoot run --from audit`.",
            evidence={"pictures": 4, "share": 0.0022, "bound": 0.001, "classes": ["3", "5"]},
            ids=tuple(f"item{i:06d}" for i in range(4)),
        ),
        Finding(
            code="data.duplicates",
            severity="warn",
            what="12 pictures occur more than once.",
            where="photos/3/",
            next="They are kept in one set; delete them if they are mistakes.",
            evidence={"duplicates": 12},
            because="data.conflicting_labels",
        ),
        Finding(code="data.corrupt_item", severity="info", what="1 file can't be read.", where="photos/3/img_0041.png"),
        Finding(code="data.odd_size", severity="info", what="3 pictures are twice as wide as the others.", evidence={"width": 64, "usual": 32}),
    )
    balance = dict(zip(DIGITS, (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True))
    sizes = {"32x32": 1790, "32x64": 3, "64x64": 4}
    return AuditReport(
        fingerprint="f",
        num_items=1799,
        num_usable=1797,
        index=SHA,
        refused=refused,
        balance=balance,
        sizes=sizes,
        modes={"L": 1797},
        file_modes={"L": 1700, "P": 97},
        turned={"6": 3},
        num_near=14,
        measures={"brightness": Spread(low=20, median=110, high=190, histogram=(3, 200, 900, 690, 4), edges=(0, 51, 102, 153, 204, 255))},
        num_wild=200,
        findings=findings,
    )


def image_problem() -> Problem:
    """Which digit is in the picture?"""
    return Problem(
        question="Which digit is in the picture?",
        kind="image",
        task="multiclass",
        target=("label",),
        classes=DIGITS,
        metric="accuracy",
        metrics=("balanced_accuracy", "f1_macro", "log_loss"),
        goal=0.97,
        human=0.985,
        head="softmax",
        loss="cross_entropy",
        num_outputs=10,
        num_items=1797,
        hypotheses=("The digit can be predicted from its pixels.", "1,797 pictures hold enough to learn it."),
        reasons=(
            Reason(setting="problem.task", value="multiclass", why="The folders have ten names, one per picture.", source="Chollet, ch. 6"),
            Reason(setting="problem.metric", value="accuracy", why="The classes are balanced: the largest is 1.05 times the smallest."),
        ),
    )


def image_explored(store: MemoryStore) -> Explored:
    """A map, levels of pixels, two groups of equal pictures, of which one has two labels, a near pair, a suspect, and a sheet."""
    labels = digit_pictures()[1]
    items = {i: ShownItem(id=f"item{i:06d}", place=f"photos/{labels[i]}/img_{i:04d}.png", label=str(labels[i])) for i in range(60)}
    pixels = digit_pictures()[0][:300].reshape(300, -1).astype(np.float32)
    centred = pixels - pixels.mean(0)
    arrays = {"xy": (centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T).astype(np.float32), "group": labels[:300].astype(np.int64)}
    return Explored(
        groups=DIGITS,
        pixels={"grey": tuple(int(count) for count in np.bincount(digit_pictures()[0].reshape(-1) // 8, minlength=32))},
        equal=((items[3], items[3].model_copy(update={"label": "5"})), (items[8], items[8])),
        near=((items[1], items[11]),),
        suspects=(items[5].model_copy(update={"reasons": ("it is darker than 99 % of the others",)}),),
        sheet=tuple(items[i] for i in range(8)),
        arrays=store.put_arrays(arrays),
        spread=(0.15, 0.14),
    )


def image_split(store: MemoryStore) -> tuple[Split, PreparedData]:
    """60 / 20 / 20, and a look at the pictures."""
    pictures, labels = digit_pictures()
    sample = {name: tuple(f"item{i:06d}" for i in np.flatnonzero(labels == int(name))[:6]) for name in DIGITS}
    shown = {id: pictures[int(id[4:])] for ids in sample.values() for id in ids} | {f"item{i:06d}": pictures[i] for i in range(12)}
    thumbnails = store.put_arrays(shown | {f"raw item{i:06d}": np.kron(pictures[i], np.ones((4, 4), np.uint8)) for i in range(8)})
    counts = {"train": 1077, "val": 360, "test": 360}
    classes = {which: dict.fromkeys(DIGITS, count // 10) for which, count in counts.items()}
    split = Split(sets=SHA, protocol="holdout", folds=1, by="stratified", counts=counts, class_counts=classes, resolves=0.021)
    prepared = PreparedData(
        fields=(FieldSpec(name="image", shape=(1, 32, 32), dtype="uint8"),),
        recipe={"kind": "image", "side": 32, "channels": 1},
        pack=SHA,
        test_pack=SHA,
        rows=SHA,
        folds=(FoldData(fold=0, num_train=1077, num_val=360, fitted=SHA),),
        fitted_final=SHA,
        num_rows=1437,
        num_test=360,
        pack_bytes=1_471_488,
        ranges={"image": (-0.52, 3.1)},
        sample=sample,
        pictures=thumbnails,
        explored=image_explored(store),
    )
    return split, prepared


def image_baseline() -> BaselineReport:
    """Four simple models."""
    models = {
        "majority": score(0.103, 0.03, train_value=0.101, metrics={"log_loss": 2.303}, seconds=0.01),
        "linear": score(0.931, 0.026, train_value=0.995, metrics={"log_loss": 0.254}, seconds=0.8),
        "knn": score(0.954, 0.022, train_value=1.0, metrics={"log_loss": 0.41}, seconds=0.2),
        "boosting": score(0.942, 0.024, train_value=1.0, metrics={"log_loss": 0.231}, seconds=3.4),
    }
    return BaselineReport(models=models, best="knn", trivial="majority")


def image_search() -> tuple[OverfitReport, TuneReport]:
    """A ladder of four models, and twenty trials."""
    rungs = ladder([(2_410, 0.962, 0.928), (9_730, 0.998, 0.958), (53_706, 1.0, 0.969), (210_000, 1.0, 0.966)])
    model, train = ModelConfig(width=32, depth=2, dropout=0.2), TrainConfig(lr=0.003, batch_size=64, epochs=16, augment="shift")
    lrs, losses = [1e-5 * 10 ** (n / 20) for n in range(90)], [2.3 / (1 + (n / 60) ** 6) for n in range(85)] + [0.9, 1.4, 1.9, 2.4, 40.0]
    lr_range = LrRange(lr=0.028, lrs=tuple(lrs), losses=tuple(losses))
    overfit = OverfitReport(ladder=rungs, chosen=2, model=model, train=train, goal=0.954, turned=True, lr_range=lr_range)
    tune = TuneReport(
        winner="net",
        val=score(0.978, 0.0145),
        net=score(0.978, 0.0145),
        weights=(SHA,),
        model=model,
        train=train,
        epochs=16,
        best_epoch=14,
        temperature=1.18,
        trials=trials(20, 0.978, 0.09),
        history=history(24, start=2.2, floor=0.08),
        versus_baseline=measured(0.024, 0.017),
        looks=31,
    )
    return overfit, tune


def confusion() -> tuple[tuple[int, ...], ...]:
    """36 items per class, a few taken for their neighbours."""
    counts = np.diag([36, 35, 36, 33, 35, 34, 36, 36, 33, 35])
    for truth, said, count in ((1, 8, 1), (3, 5, 2), (3, 9, 1), (4, 9, 1), (5, 3, 2), (8, 1, 2), (8, 3, 1), (9, 4, 1)):
        counts[truth, said] += count
    return tuple(tuple(int(count) for count in row) for row in counts)


def image_diagnosis() -> DiagnoseReport:
    """Variance, with every chart of a classification."""
    per_class = {name: {"precision": 0.97 - 0.004 * i, "recall": 0.98 - 0.006 * i, "f1": 0.975 - 0.005 * i, "support": 36} for i, name in enumerate(DIGITS)}
    curve = {str(part): measured(0.02 + 0.05 * (1 - part) ** 2, 0.012) for part in (0.125, 0.25, 0.5, 1.0)}
    rates = np.linspace(0, 1, 40)
    roc = {name: tuple((float(x), float(x ** (0.04 + 0.02 * i))) for x in rates) for i, name in enumerate(DIGITS[:3])}
    pr = {name: tuple((float(x), float(1 - (0.1 + 0.1 * i) * x**6)) for x in rates) for i, name in enumerate(DIGITS[:3])}
    return DiagnoseReport(
        errors={"human": Measured(value=0.015), "train": measured(0.001, 0.001, 1077), "train_dev": None, "val": measured(0.022, 0.0145)},
        gaps={"bias": measured(-0.014, 0.001), "variance": measured(0.021, 0.0146), "mismatch": None},
        verdict="variance",
        unit="error",
        advice=(
            Advice(term="variance", what="Turn the pictures a little as well as shifting them.", could_bring=0.011, command="surefoot run --from tune"),
            Advice(term="variance", what="Collect more pictures of 8 and 3.", could_bring=0.008),
        ),
        curve=curve,
        ece=0.013,
        ece_interval=(0.004, 0.022),
        ece_by_chance=0.018,
        reliability=((0.35, 0.3, 4), (0.55, 0.5, 8), (0.75, 0.71, 14), (0.9, 0.88, 40), (0.99, 0.985, 294)),
        confusion=confusion(),
        per_class=per_class,
        roc=roc,
        pr=pr,
        metrics={"balanced_accuracy": 0.9775, "f1_macro": 0.9777, "log_loss": 0.0831},
        findings=(Finding(code="diagnose.variance", severity="info", what="Variance is the largest gap: 2.1 points."),),
    )


def image_errors(store: MemoryStore) -> ErrorsReport:
    """Eight wrong digits, tagged, with their pictures."""
    pictures, labels = digit_pictures()
    picked = [5, 37, 69, 85, 89, 129, 315, 406]
    rows = tuple(
        ErrorRow(
            id=f"item{i:06d}",
            place=f"photos/{labels[i]}/img_{i:04d}.png",
            target=str(labels[i]),
            pred=str((labels[i] + 3) % 10),
            confidence=0.99 - 0.05 * n,
            loss=4.6 - 0.3 * n,
            tags=("blurry", f"class_{labels[i]}")[: 1 + n % 2],
            note="looks like a 5" if n == 2 else "",
        )
        for n, i in enumerate(picked)
    )
    suspects = tuple(Mislabel(id=row.id, given=row.target, suggested=row.pred, score=0.004 * (n + 1), place=row.place) for n, row in enumerate(rows[:3]))
    return ErrorsReport(
        num_wrong=8,
        num_val=360,
        rows=rows,
        tags={"blurry": 5, "class_3": 2, "mislabel": 1},
        ceilings={"blurry": measured(0.0139, 0.006), "class_3": measured(0.0056, 0.004), "mislabel": measured(0.0028, 0.0025)},
        most_rewarding="blurry",
        mislabels=suspects,
        num_suspects=len(suspects),
        worst=rows,
        pictures=store.put_arrays({row.id: pictures[i] for row, i in zip(rows, picked, strict=True)}),
        csv="runs/1-s10_errors-1/errors.csv",
    )


def image_final(store: MemoryStore) -> FinalReport:
    """Two phases, and sixteen kernels that look for edges."""
    grid = np.linspace(-1, 1, 5)
    angles = np.linspace(0, math.pi, 16, endpoint=False)
    kernels = np.stack([np.sin(3 * (np.cos(a) * grid[:, None] + np.sin(a) * grid[None, :])) for a in angles]).astype(np.float32)[:, None]
    phases = tuple(
        PhaseRecord(name=name, epochs=epochs, lr=lr, batch_size=64, optimizer="adamw", num_rows=1437, history=history(epochs, start=start, floor=0.05))
        for name, epochs, lr, start in (("main", 16, 0.003, 2.2), ("cool down", 4, 0.0003, 0.06))
    )
    used = ModelConfig(width=32, depth=2)
    return FinalReport(
        winner="net", model=SHA, model_config_used=used, phases=phases, num_rows=1437, start="scratch", kernels=store.put_arrays({"kernels": kernels})
    )


def image_test() -> TestReport:
    """The seal opened once."""
    per_class = {name: {"precision": 0.97, "recall": 0.99 - 0.006 * i, "f1": 0.98 - 0.003 * i, "support": 36} for i, name in enumerate(DIGITS)}
    return TestReport(
        metric="accuracy",
        value=0.981,
        interval=(0.9639, 0.9908),
        n=360,
        metrics={"accuracy": 0.981, "balanced_accuracy": 0.98, "log_loss": 0.0712},
        per_class=per_class,
        wild=score(0.871, 0.046, 200),
        tuned=score(0.975, 0.016),
        val_value=0.978,
        slices={"bright": measured(0.99, 0.01, 240), "dark": measured(0.962, 0.03, 120)},
        confusion=confusion(),
        openings=(Opening(number=1, round=1, why="the end of the road", when="2025-03-14 10:21"),),
        findings=(
            Finding(
                code="diagnose.wild_gap",
                severity="warn",
                what="On the wild items accuracy is 11.0 points lower than on test.",
                where="wild",
                next="Bring items like the wild ones into train, then `surefoot run --from audit`.",
                evidence={"gap": 0.11, "interval": [0.06, 0.16], "bound": 0.05},
            ),
        ),
    )


def image_reports(store: MemoryStore) -> dict[str, Report]:
    """All fourteen reports of a picture project."""
    split, prepared = image_split(store)
    overfit, tune = image_search()
    return {
        "s01_problem": image_problem(),
        "s02_audit": image_audit(),
        "s03_split": split,
        "s04_prepare": prepared,
        "s05_baseline": image_baseline(),
        "s06_sanity": sanity(2.303, 10),
        "s07_overfit": overfit,
        "s08_tune": tune,
        "s09_diagnose": image_diagnosis(),
        "s10_errors": image_errors(store),
        "s11_final": image_final(store),
        "s12_export": bundle(),
        "s13_test": image_test(),
        "s14_serve": serving(),
    }


def image_project(store: MemoryStore) -> list[RoundView]:
    """Two rounds, the second better than the first."""
    reports = image_reports(store)
    before = {**reports, "s08_tune": reports["s08_tune"].model_copy(update={"val": score(0.961, 0.02), "net": score(0.961, 0.02)})}
    del before["s13_test"], before["s14_serve"]
    said = "better by 1.7 points (0.3 to 3.1), corrected resampled t-test, p = 0.02"
    return [RoundView(1, None, walk(before)), RoundView(2, 1, walk(reports, s14_serve={"stale": True}), said)]


def stopped_project(store: MemoryStore) -> list[RoundView]:
    """A road that stopped at s06: one cause, and what it explains."""
    reports = {name: report for name, report in image_reports(store).items() if name <= "s06_sanity"}
    checks = tuple(check.model_copy(update={"ok": check.name not in ("init_loss", "tiny_batch")}) for check in sanity(2.303, 10).checks)
    findings = (
        Finding(
            code="model.cannot_overfit",
            severity="stop",
            what="The net can't learn 16 items by heart: recall is 0.31 after 400 steps.",
            where="model.layers",
            next="Mend the last layer first.",
            evidence={"recall": 0.31, "bound": 1.0, "steps": 400},
            because="model.wrong_last_layer",
        ),
        Finding(
            code="model.wrong_last_layer",
            severity="stop",
            what="The last layer gives 9 numbers, and there are 10 classes.",
            where="model.layers, last FC",
            next="Leave the last FC without a number, then `surefoot run --from sanity`.",
            evidence={"outputs": 9, "classes": 10},
        ),
        Finding(code="model.init_loss", severity="warn", what="The first loss is 2.197, and theory says 2.303.", because="model.wrong_last_layer"),
    )
    reports["s06_sanity"] = reports["s06_sanity"].model_copy(update={"checks": checks, "findings": findings})
    return [RoundView(1, None, walk(reports))]
