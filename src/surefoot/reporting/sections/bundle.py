"""s12 and s14: what ships, proof that it is the same model, and how fast it answers."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, bars
from surefoot.reporting.markup import EMPTY, card, cards, code, element, facts, figure, join, table
from surefoot.reporting.views import Scene
from surefoot.reporting.words import NBSP, number, size_bytes, spaced
from surefoot.types.reports import ExportReport, ServeReport


def show_export(report: ExportReport, scene: Scene) -> Markup:
    """The files with their hashes, and the largest differences found."""
    files = [(code(name), element("code", sha[:12], title=sha)) for name, sha in report.files.items()]
    parity = [(spaced(name), number(value)) for name, value in report.parity.items()]
    note = "The largest difference between exported and trained model, and its bound."
    return join(
        [
            facts(
                [
                    ("Folder", code(report.folder)),
                    ("Kind", report.kind),
                    ("Size", size_bytes(report.bytes)),
                    ("Compared", f"{number(report.num_compared)} items through both models"),
                    ("The tuned model", code(report.tuned_folder) if report.tuned_folder else None),
                ]
            ),
            cards(
                card("Is it the same model?", table("Parity", ("measure", "value"), parity, numeric=(1,)), note) if parity else EMPTY,
                card("Files", table("Files", ("file", "SHA-256 begins with"), files)) if files else EMPTY,
            ),
        ]
    )


def show_serve(report: ServeReport, scene: Scene) -> Markup:
    """Latency and throughput, and the command that starts the server."""
    entries = [Bar(spaced(name), value, text=f"{number(value, 3)} ms") for name, value in report.latency_ms.items()]
    chart = figure("Time to an answer", bars("Latency", entries, Axis("milliseconds")), f"Measured with {number(report.requests)} requests on this machine.")
    return join(
        [
            facts(
                [
                    ("Start it with", code(report.command)),
                    ("Address", code(report.url)),
                    ("Throughput", f"{number(report.throughput, 3)}{NBSP}requests per second"),
                    ("Same answers as the bundle", "yes" if report.agrees else "no"),
                ]
            ),
            cards(chart if entries else EMPTY),
        ]
    )
