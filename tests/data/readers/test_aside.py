"""Columns laid aside: the same values, in a file that is gone with them, and in no memory of the process's own."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from contextlib import contextmanager

import numpy as np
import pytest

from surefoot.data.readers.aside import open_shelf

COLUMNS = {
    "numbers": np.array([1.5, np.nan, -np.inf]),
    "dates": np.array(["2024-01-27", "NaT", "1999-12-31"], "datetime64[ns]"),
    "words": np.array(["a", None, "c"], object),
    "none": np.zeros(0),
}


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_laid_aside_comes_back_as_it_was_and_can_be_written_to(in_memory):
    with open_shelf(in_memory=in_memory) as shelf:
        for name, values in COLUMNS.items():
            shelf.put(name, values)
        found = shelf.take()
    assert sorted(found) == sorted(COLUMNS)
    for name, values in COLUMNS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
    found["numbers"][0] = 7.0
    assert found["numbers"].tolist()[0] == 7.0


def test_where_the_disk_is_full_nothing_is_lost(monkeypatch):
    class Full:
        """Takes the first array and no other."""

        def __init__(self, file):
            self._file, self._left = file, 1

        def write(self, data):
            self._left -= 1
            if self._left < 0:
                self._file.write(data[:5])
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name):
            return getattr(self._file, name)

    @contextmanager
    def scratch():
        with tempfile.TemporaryFile() as file:
            yield Full(file)

    monkeypatch.setattr("surefoot.durable.scratch", scratch)
    with open_shelf(in_memory=False) as shelf:
        for number in range(4):
            shelf.put(str(number), np.full(3, float(number)))
        found = shelf.take()
    assert {name: values.tolist() for name, values in found.items()} == {str(number): [float(number)] * 3 for number in range(4)}


SCRIPT = """
import sys
import numpy as np
from surefoot.data.readers.aside import open_shelf

def anonymous():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("RssAnon")]
    return int(line.split()[1])

before = anonymous()
with open_shelf(in_memory=sys.argv[1] == "memory") as shelf:
    for number in range(8):
        shelf.put(str(number), np.arange(1e6) + number)
    found = shelf.take()
assert [found[str(number)].sum() for number in range(8)] == [499999500000.0 + 1e6 * number for number in range(8)]
print(anonymous() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's anonymous memory")
def test_what_is_laid_aside_takes_no_memory_of_its_own():
    taken = {how: int(subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True).stdout) for how in ("memory", "file")}
    assert taken["memory"] > 60_000  # kB: eight columns of a million numbers
    assert taken["file"] < 20_000
