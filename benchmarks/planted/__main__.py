"""`python -m benchmarks.planted WORD ...`: walks the cases whose names hold one of the words, all without, and prints what was found."""

from __future__ import annotations

import json
import sys

from benchmarks.planted import CASES, examine, summarise, tell

if __name__ == "__main__":
    words = sys.argv[1:]
    shares = summarise([examine(case) for case in CASES if not words or any(word in (case.name, case.area) or word in case.name for word in words)])
    print("\n".join(tell(shares)))
    print(json.dumps(shares))
