"""Floor 0: plain data that every room may hold. Importing it never imports torch.

A name is fetched when it is first asked for: settings and reports bring pydantic, a fifth of a second, which a process that decodes pictures need not wait for.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.types.configs import *
    from surefoot.types.context import Context, Events, Ledger, Store
    from surefoot.types.data_reports import *
    from surefoot.types.error_reports import *
    from surefoot.types.errors import (
        BusyError,
        ConfigError,
        DamagedError,
        DataError,
        GateStop,
        ResourceError,
        SealedError,
        SplitLeakError,
        SurefootError,
        UsageError,
    )
    from surefoot.types.examples import Batch, Predictions
    from surefoot.types.findings import Finding, Measured, Plain, Report
    from surefoot.types.problem import Problem, Reason, Task
    from surefoot.types.reports import *
    from surefoot.types.source import Annotations, Boxes, Drawing, ImageSource, ItemError, Named, Refused, TableSource, take_words
else:

    def __getattr__(name):
        files = ("errors", "source", "examples", "problem", "findings", "context", "configs", "data_reports", "error_reports", "reports")
        for file in () if name.startswith("_") else files:
            said = vars(importlib.import_module(f"{__name__}.{file}"))
            if name in said:
                globals()[name] = said[name]
                return said[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
