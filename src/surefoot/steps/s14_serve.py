"""s14: puts the bundle behind HTTP on this machine, asks it over the wire, and measures how fast it answers."""

from __future__ import annotations

import numpy as np

from surefoot.data.packs import open_pack
from surefoot.serving.measure import measure
from surefoot.types import Context, ExportReport, Finding, PreparedData, Problem, ServeReport, ServeStepConfig

_ASKED = 64
_SLOW_MS = 100.0
"""Above a tenth of a second an answer no longer feels immediate (Nielsen 1993)."""


def serve(ctx: Context, config: ServeStepConfig, *, problem: Problem, data: PreparedData, export: ExportReport) -> ServeReport:
    """Starts the server on loopback, sends it real items, and compares its answers with the bundle's own."""
    pack = open_pack(ctx.store, data.pack)
    fields = pack.gather(np.arange(min(_ASKED, len(pack))))
    measured = measure(ctx.root / export.folder, fields, config.serve.requests)
    slow = measured["latency_ms"]["p95"] > _SLOW_MS
    findings = []
    if slow:
        findings.append(
            Finding(
                code="serve.slow",
                severity="info",
                what=f"One answer in twenty takes longer than {measured['latency_ms']['p95']:.0f} ms.",
                where="s14_serve",
                next="Use a smaller model, or smaller pictures (data.side).",
                evidence={"p95_ms": measured["latency_ms"]["p95"], "threshold_ms": _SLOW_MS},
            )
        )
    if not measured["agrees"]:
        findings.append(
            Finding(
                code="export.differs",
                severity="stop",
                what="The served model answers differently from the bundle.",
                where="s14_serve",
                next="Report this: it is a defect of Surefoot.",
                evidence={"requests": measured["requests"]},
            )
        )
    return ServeReport(
        url="http://127.0.0.1",
        requests=measured["requests"],
        latency_ms=measured["latency_ms"],
        throughput=measured["throughput"],
        agrees=measured["agrees"],
        command=f"surefoot serve {export.folder}",
        findings=tuple(findings),
    )
