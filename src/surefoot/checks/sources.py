"""What is wrong with the sources of a project: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.checks.split import DRIFT_AUC, DRIFT_P
from surefoot.types.data_reports import Drift, SourceReport
from surefoot.types.findings import Finding

_FAR = 0.7
"""AUC from which practical sources, which ought to be alike, are called different with a warning."""
_LEAST, _CONFLICTS = 20, 0.05
_LOWER = 0.1


def judge(drift: Mapping[str, Drift], sources: Sequence[SourceReport]) -> list[Finding]:
    """All that is to be said of the sources."""
    return [*shift(drift, sources), *reliability(sources)]


def shift(drift: Mapping[str, Drift], sources: Sequence[SourceReport]) -> list[Finding]:
    """Sources whose items a classifier can tell from those of the others."""
    roles = {one.name: one.role for one in sources}
    labelled = [one.name for one in sources if one.labels == "labelled"]
    found = []
    for name, one in drift.items():
        if one.p > DRIFT_P or one.auc < DRIFT_AUC:
            continue
        others = labelled[0] if len(labelled) == 2 and labelled[0] != name else "the others"
        is_general = "general" in (roles.get(name), roles.get(others))
        columns = ", ".join(one.columns)
        found.append(
            Finding(
                code="data.source_shift",
                severity="info" if is_general or one.auc < _FAR else "warn",
                what=f"A classifier tells the items of {name} from those of {others} (AUC {one.auc:.2f}, p {one.p:.1g}); most different: {columns}.",
                where=name,
                next="train_dev, held out of the general sources, will say in s09 what the difference costs."
                if is_general
                else 'If this source is not like the data the model will meet, mark it role = "general": it is then trained on, and never judged on.',
                evidence={"auc": one.auc, "p": one.p, "items": one.n, "threshold p": DRIFT_P, "threshold auc": DRIFT_AUC, "columns": list(one.columns)},
            )
        )
    return found


def reliability(sources: Sequence[SourceReport]) -> list[Finding]:
    """Sources whose labels disagree with those of the others, or with a simple model far more than the others' do."""
    found = []
    for one in sources:
        if one.conflict and one.conflict.interval and one.shared >= _LEAST and one.conflict.interval[0] > _CONFLICTS:
            found.append(
                Finding(
                    code="data.mislabels",
                    severity="warn",
                    what=f"{one.conflict.value:.0%} of the {one.shared:,} items that {one.name} shares with other sources have another label there.",
                    where=one.name,
                    next="Look at some of them by eye, find out which source is right, and mend or leave out the other.",
                    evidence={"share": one.conflict.value, "at least": one.conflict.interval[0], "shared": one.shared, "threshold": _CONFLICTS},
                )
            )
    measured = [(one, one.agreement.value, one.agreement.interval) for one in sources if one.agreement and one.agreement.interval]
    if not measured:
        return found
    best, value, interval = max(measured, key=lambda one: one[1])
    for one, share, (_, high) in measured:
        if high < interval[0] - _LOWER:
            found.append(
                Finding(
                    code="data.mislabels",
                    severity="info",
                    what=f"A simple model agrees with {share:.0%} of the labels of {one.name}, and with {value:.0%} of those of {best.name}.",
                    where=one.name,
                    next="Its labels are worse, or its items harder: look at some by eye.",
                    evidence={"agreement": share, "best": value, "threshold": _LOWER},
                )
            )
    return found
