"""A trained network as an ONNX graph: raw fields in, logits and outputs out, weights inside, the batch axis free."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import SurefootError

OUTPUTS = ("logits", "outputs")
UNSUPPORTED = "export.unsupported"


def export_onnx(deployed: nn.Module, fields: tuple[FieldSpec, ...]) -> bytes:
    """The graph of a network, in eval mode, on CPU; the network itself is left as it is.

    The first call of a process takes about 4 s (2 s of it imports), later ones about 1 s for a small net; leaving out the
    optimiser saves nothing and leaves batch norms unfused.

    Args:
        deployed: called with one tensor (B, ...) per field, returns (logits, outputs).
        fields: names, shapes and dtypes of the inputs, in order.

    Returns:
        The ONNX file; its inputs are named as the fields, its outputs `logits` and `outputs`.

    Raises:
        SurefootError: its text starts with `export.unsupported`; the net holds something that ONNX can't express.
    """
    examples = tuple(torch.zeros((2, *spec.shape), dtype=getattr(torch, spec.dtype)) for spec in fields)
    shapes = (tuple({0: "batch"} for _ in fields),)
    free = (tuple({0: torch.export.Dim("batch")} for _ in fields),)
    try:
        with _quiet(), torch.no_grad():
            traced = torch.export.export(_Spread(copy.deepcopy(deployed).cpu().eval()), examples, dynamic_shapes=free, strict=False)
            program = torch.onnx.export(
                traced,
                dynamo=True,
                verbose=False,
                external_data=False,
                dynamic_shapes=shapes,  # given as words these only name the axis
                input_names=[spec.name for spec in fields],
                output_names=list(OUTPUTS),
            )
        assert program is not None
        onnx.checker.check_model(program.model_proto, full_check=True)
    except Exception as error:  # the exporter raises dozens of classes, and the user's own code runs in it
        raise SurefootError(
            f"{UNSUPPORTED}: the net can't be turned into an ONNX graph: {' '.join(str(error).split())[:300] or type(error).__name__}",
            where=_locate(error),
            next="Put plain tensor operations in place of branches on values, loops over the batch and fixed batch sizes.",
        ) from error
    return program.model_proto.SerializeToString()


class _Spread(nn.Module):
    """Takes the fields as separate arguments, whatever the signature of the wrapped module is, and returns a plain pair."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *fields: Tensor) -> tuple[Tensor, Tensor]:
        logits, outputs = self.module(*fields)
        return logits, outputs


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Holds back what the exporter warns, logs and prints: what matters comes as an exception."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _locate(error: Exception) -> str:
    """The innermost line of the traceback that is neither PyTorch's nor ours, else the kind of error."""
    inside = (str(Path(torch.__file__).parent), str(Path(__file__)))
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(inside)]
    return f"{lines[-1].filename}:{lines[-1].lineno} `{lines[-1].line}`" if lines else type(error).__name__
