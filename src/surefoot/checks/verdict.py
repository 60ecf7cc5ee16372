"""What a sanity check says: the check itself for the report, and its finding where it does not hold."""

from __future__ import annotations

from surefoot.types.findings import Evidence, Finding, Severity
from surefoot.types.reports import Check

Verdict = tuple[Check, Finding | None]


def judge(check: Check, code: str, advice: str, evidence: Evidence, severity: Severity = "stop", where: str = "s06_sanity") -> Verdict:
    """The check, and its finding where it does not hold."""
    if check.ok:
        return check, None
    return check, Finding(code=code, severity=severity, what=check.what[0].upper() + check.what[1:] + ".", where=where, next=advice, evidence=evidence)
