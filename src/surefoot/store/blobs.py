"""Files by the hash of their content: what has a name here is whole, and can never change under it."""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from surefoot import durable
from surefoot.types.errors import DamagedError, SurefootError

_CHUNK = 1 << 20
_REF = re.compile(r"[0-9a-f]{64}")
_AGAIN = "Give `surefoot run` again: what the current round needs is made anew; what only an earlier one needs comes back from a copy alone."


class Blobs:
    """The folder `store/`: `ab/cdef...` holds the file whose SHA-256 is `abcdef...`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, ref: str) -> Path:
        """Where `ref` lies.

        Raises:
            DamagedError: it is not there.
        """
        path = self._place(ref)
        if not path.is_file():
            raise DamagedError(f"The stored file {ref[:12]} is missing.", where=str(path), next=_AGAIN)
        return path

    def has(self, ref: str) -> bool:
        return self._place(ref).is_file()

    def put_bytes(self, data: bytes) -> str:
        ref = hashlib.sha256(data).hexdigest()
        if not self._is_whole(ref):  # an altered file is put right
            durable.replace(self._place(ref), data)
        return ref

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        """A file to stream into; when the block ends it is stored, and `.ref` names it."""
        target = Writing()
        partial = self.folder / f".{uuid.uuid4().hex}.part"  # a name that `durable.sweep` knows
        try:
            with durable.replacing(partial) as file:
                target.open(file)
                yield target
            target.ref = target.digest.hexdigest()
            try:
                durable.rename(partial, self._place(target.ref))
            except SurefootError as error:
                if not (isinstance(error.__cause__, PermissionError) and self._is_whole(target.ref)):
                    raise  # else Windows replaces no file that is mapped, and this one says the same already
        finally:
            durable.remove(partial)

    def put_file(self, path: Path) -> str:
        with path.open("rb") as file, self.writing() as target:
            while chunk := file.read(_CHUNK):
                target.write(chunk)
        return target.ref

    def put_arrays(self, arrays: Mapping[str, np.ndarray]) -> str:
        from safetensors.numpy import save

        return self.put_bytes(save({name: np.asarray(array, order="C") for name, array in arrays.items()}))

    def put_table(self, table: Any) -> str:
        return self.put_batches(table.schema, table.to_batches())

    def put_batches(self, schema: Any, batches: Iterable[Any]) -> str:
        """Stores an Arrow table that comes in parts, of which one is held at a time."""
        import pyarrow as pa

        with self.writing() as target, pa.ipc.new_file(pa.PythonFile(target, "w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return target.ref

    def get_bytes(self, ref: str) -> bytes:
        """The content of `ref`, checked against its name.

        Raises:
            DamagedError: it is missing, or its content was altered.
        """
        data = self.path(ref).read_bytes()
        if hashlib.sha256(data).hexdigest() != ref:
            raise _explain_altered(ref, self.path(ref))
        return data

    def get_arrays(self, ref: str) -> dict[str, np.ndarray]:
        from safetensors.numpy import load

        return load(self.get_bytes(ref))

    def get_table(self, ref: str) -> Any:
        """The Arrow table `ref`, checked against its name and mapped: it takes no memory of the process's own.

        Raises:
            DamagedError: it is missing, or its content was altered.
        """
        import pyarrow as pa

        path = self.path(ref)
        if _hash(path) != ref:
            raise _explain_altered(ref, path)
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()

    def refs(self) -> Iterator[str]:
        """Every stored file; what else lies in the folder is none of ours."""
        for path in self.folder.glob("??/*"):
            if _REF.fullmatch(ref := path.parent.name + path.name):
                yield ref

    def remove(self, ref: str) -> int:
        """Deletes a stored file; returns its size in bytes."""
        path = self._place(ref)
        size = path.stat().st_size if path.is_file() else 0
        durable.remove(path)
        return size

    def _is_whole(self, ref: str) -> bool:
        place = self._place(ref)
        return place.is_file() and _hash(place) == ref

    def _place(self, ref: str) -> Path:
        if not _REF.fullmatch(ref):
            raise DamagedError(f"{ref!r} is no name of a stored file.", next="Give `surefoot run --from problem` to make it anew.")
        return self.folder / ref[:2] / ref[2:]


def _explain_altered(ref: str, path: Path) -> DamagedError:
    return DamagedError(f"The stored file {ref[:12]} was altered.", where=str(path), next=f"Delete it. {_AGAIN}")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Writing:
    """A file under way to the store; `ref` is known when it is whole."""

    ref: str

    def open(self, file: BinaryIO) -> None:
        self.file, self.digest, self.closed = file, hashlib.sha256(), False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self.digest.update(view)
        return self.file.write(view)

    def flush(self) -> None:
        self.file.flush()

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        """Called by whoever wraps this; the store itself closes the file when it is whole."""
        self.closed = True
