"""Floor 0: plain data that every room may hold. Importing it never imports torch."""

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
from surefoot.types.source import Annotations, Boxes, Drawing, ImageSource, ItemError, Refused, TableSource
