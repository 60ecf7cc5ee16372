"""A member of a crew, a process of its own: reads JSON lines from its input, the work and then rows; answers each with what the rows hold. See `crew`."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from surefoot.data import preprocess
from surefoot.data.making import decode_here
from surefoot.data.readers import open_source
from surefoot.types.configs import DataConfig


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answers until there is nothing more to read."""
    try:
        work = json.loads(asked.readline())
        source = open_source(DataConfig.model_validate(work["data"]), Path(work["root"]), which=work["which"])
        _answer(answers, {"fingerprint": source.fingerprint})
        names = [field.name for field in preprocess.fields(work["recipe"])]
        parts = (np.asarray(json.loads(line), np.int64) for line in iter(asked.readline, b""))
        for decoded in decode_here(source, work["recipe"], parts, work["quality"]):
            message = pa.RecordBatch.from_arrays(decoded.columns, names=names).serialize()
            facts = {"kept": decoded.kept, "refused": [one.model_dump(mode="json") for one in decoded.refused], "size": message.size}
            _answer(answers, facts, message)
    except Exception as error:
        _answer(answers, {"error": f"{type(error).__name__}: {error}"})


def _answer(answers: BinaryIO, facts: dict[str, Any], message: Any = b"") -> None:
    answers.write(json.dumps(facts).encode() + b"\n")
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    pipe = os.dup(1)
    os.dup2(2, 1)  # what the user's code or a library prints must not land among the answers
    with io.BufferedWriter(io.FileIO(pipe, "w")) as answers:
        serve(sys.stdin.buffer, answers)
