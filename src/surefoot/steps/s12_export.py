"""s12: makes the bundle that ships, and shows that it says what the trained model says."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np

from surefoot import randomness
from surefoot.engine.build import Desk, assemble, build_network, lay_out
from surefoot.engine.predict import predict
from surefoot.engine.weights import dump_weights, load_weights
from surefoot.engine.winners import kind_of, tuned_network, tuned_yardstick
from surefoot.engine.yardsticks import blank_linear
from surefoot.exporting import boosting, bundle
from surefoot.exporting.card import Evidence, model_card
from surefoot.exporting.onnx import export_onnx
from surefoot.exporting.parity import Parity, compare
from surefoot.exporting.predictor import load
from surefoot.exporting.session import Session
from surefoot.exporting.trees import export_trees
from surefoot.models.boosting import raw_scores
from surefoot.models.network import Deployed, Network
from surefoot.store.scope import ScopedLedger
from surefoot.types import (
    AuditReport,
    BaselineReport,
    Context,
    DiagnoseReport,
    ExportReport,
    ExportStepConfig,
    FinalReport,
    Finding,
    PreparedData,
    Problem,
    Split,
    SurefootError,
    TuneReport,
)

_COMPARED = 1_000


@dataclass(frozen=True)
class Shipment:
    """A model on its way into a bundle: a network, or the text of a boosting model."""

    folder: Path
    network: Network | None = None
    text: str = ""


def export(
    ctx: Context,
    config: ExportStepConfig,
    *,
    problem: Problem,
    audit: AuditReport,
    split: Split,
    data: PreparedData,
    baseline: BaselineReport,
    tune: TuneReport,
    diagnose: DiagnoseReport,
    final: FinalReport,
) -> ExportReport:
    """Writes `export/`, and beside the run the same for the tuned model, which the test step scores too; compares both with what was trained."""
    desk = lay_out(ctx, problem, data)
    shipment = _final_model(ctx, desk, tune, final)
    openings = ctx.ledger.openings() if isinstance(ctx.ledger, ScopedLedger) else ()
    evidence = Evidence(problem, audit, split, tune, diagnose, final, openings=openings)
    tuned = _tuned_model(ctx, desk, tune, baseline)
    files, _ = (_write(desk, data, tune, one, evidence, config.data.id or _find_id(audit)) for one in (shipment, tuned))
    rows = np.sort(randomness.stream(ctx.seed, "parity").permutation(len(desk.examples))[:_COMPARED])
    parities = {"final": _compare(desk, shipment, rows), "tuned": _compare(desk, tuned, rows)}
    for name in files:
        ctx.store.put_file(shipment.folder / name)  # another round writes over `export/`; a walk that comes back to this one puts it back
    graph = _compare_graph(desk, shipment, rows) if bundle.BOOSTER in files and bundle.GRAPH in files else None
    return ExportReport(
        folder=shipment.folder.relative_to(ctx.root).as_posix(),
        kind=kind_of(final.winner),
        files=files,
        parity={f"{name}: {what}": value for name, p in parities.items() for what, value in (("largest difference", p.max_abs), ("bound", p.bound))},
        num_compared=len(rows),
        bytes=sum(path.stat().st_size for path in shipment.folder.iterdir() if path.is_file()),
        tuned_folder=tuned.folder.relative_to(ctx.root).as_posix(),
        findings=(*_find(parities), *_find_graph(graph, bundle.BOOSTER in files)),
    )


def _final_model(ctx: Context, desk: Desk, tune: TuneReport, final: FinalReport) -> Shipment:
    folder = ctx.root / "export"
    if final.winner == "boosting":
        return Shipment(folder, text=ctx.store.get_bytes(final.model).decode())
    part = desk.whole if final.start == "scratch" else desk.folds[0]
    network = build_network(desk, tune.model, part) if final.winner == "net" else assemble(desk, blank_linear(desk, part), part)
    load_weights(ctx.store, final.model, network)
    return Shipment(folder, network.eval())


def _tuned_model(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> Shipment:
    folder = ctx.run_dir / "tuned"
    if tune.winner == "net":
        return Shipment(folder, tuned_network(ctx, desk, tune, 0))
    fitted = tuned_yardstick(desk, tune.winner, baseline, 0, desk.folds[0].val[:10])
    return Shipment(folder, fitted.network, fitted.text)


def _write(desk: Desk, data: PreparedData, tune: TuneReport, shipment: Shipment, evidence: Evidence, id_column: str) -> dict[str, str]:
    problem = desk.problem
    contents = {bundle.RECIPE: json.dumps(data.recipe, indent=1).encode(), bundle.LABELS: "".join(f"{name}\n" for name in problem.classes).encode()}
    if shipment.network is not None:
        network = copy.deepcopy(shipment.network).cpu().eval()
        contents[bundle.WEIGHTS] = dump_weights(network)
        contents[bundle.GRAPH] = export_onnx(Deployed(network, problem.head, tune.temperature), data.fields)
    else:
        contents[bundle.BOOSTER] = boosting.dump_booster(booster := lightgbm.Booster(model_str=shipment.text))
        contents |= _trees(booster, problem, data, tune)
    inputs = ("image",) if problem.kind == "image" else tuple(column["name"] for column in data.recipe["columns"])
    manifest = bundle.describe(
        problem,
        name="model",
        kind=kind_of(tune.winner),
        threshold=tune.threshold,
        temperature=tune.temperature,
        fields=data.fields,
        inputs=inputs,
        id=id_column,
    )
    contents[bundle.CARD] = model_card(evidence, bundle.with_files(manifest, contents)).encode()
    return bundle.write_bundle(shipment.folder, contents, manifest)


def _find_id(audit: AuditReport) -> str:
    """The one column that names the rows, where the audit found just one."""
    names = [column.name for column in audit.columns if column.role == "id"]
    return names[0] if len(names) == 1 else ""


def _trees(booster: lightgbm.Booster, problem: Problem, data: PreparedData, tune: TuneReport) -> dict[str, bytes]:
    """The booster as ONNX beside its text, where it can be written so."""
    try:
        graph = export_trees(booster, data.fields, problem.task, temperature=tune.temperature, log_target=problem.log_target)
    except SurefootError:
        return {}
    return {bundle.GRAPH: graph}


def _compare(desk: Desk, shipment: Shipment, rows: np.ndarray) -> Parity:
    """The bundle, read back from disk, against the model in memory, on the same raw fields."""
    fields = desk.examples.pack.gather(rows)
    got = load(shipment.folder).logits(fields)
    problem = desk.problem
    expected = predict(shipment.network, desk.examples, rows) if shipment.network is not None else raw_scores(shipment.text, fields)
    return compare(expected, got, bool(problem.classes), independent=problem.task == "multilabel")


def _find(parities: dict[str, Parity]) -> list[Finding]:
    return [
        Finding(
            code="export.differs",
            severity="stop",
            what=f"The exported {name} model is off by {parity.max_abs:.2e} ({parity.bound:.0e} is allowed); {parity.num_pred_differences} preds differ.",
            where="s12_export",
            next="Look for operations whose export rounds differently (the model's own code); `surefoot run --from export` tries again.",
            evidence={"difference": parity.max_abs, "bound": parity.bound, "preds": parity.num_pred_differences},
        )
        for name, parity in parities.items()
        if not parity.ok
    ]


def _compare_graph(desk: Desk, shipment: Shipment, rows: np.ndarray) -> Parity:
    """The booster's ONNX graph against the booster; the text is what predicts, the graph is for other runtimes."""
    fields = desk.examples.pack.gather(rows)
    got, _ = Session(shipment.folder / bundle.GRAPH, 0).run(fields)
    return compare(raw_scores(shipment.text, fields), got, bool(desk.problem.classes))


def _find_graph(graph: Parity | None, is_boosting: bool) -> list[Finding]:
    if not is_boosting or (graph is not None and graph.ok):
        return []
    return [
        Finding(
            code="export.unsupported",
            severity="info",
            what="The boosting model ships as LightGBM text; an ONNX graph of it "
            + ("can't be written." if graph is None else f"is off by {graph.max_abs:.1e}: don't use it."),
            where=bundle.GRAPH,
            next="Use `surefoot predict` or `surefoot serve`, or LightGBM itself on model.txt.",
            evidence={"difference": graph.max_abs if graph else None},
        )
    ]
