"""What a person sees of an item is what the table says of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from surefoot.project import Project
from surefoot.runners.by_hand import show_items


@pytest.mark.parametrize("dates", ["parts", "cyclic"])
def test_a_date_is_shown_as_one_and_not_as_the_numbers_that_a_net_is_given(tmp_path, dates):
    draw, num = np.random.default_rng(0), 120
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 700, num), "D")
    moments = days + pd.to_timedelta(np.where(np.arange(num) % 2, 7.5, 16.25), "h")
    frame = pd.DataFrame({"visit": days.strftime("%d/%m/%Y"), "at": moments.astype(str), "size": draw.normal(size=num), "kind": draw.choice(["a", "b"], num)})
    frame.loc[3, "visit"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "surefoot.toml").write_text(f'[data]\nsource = "t.csv"\ntarget = "kind"\n[prepare]\ndates = "{dates}"\n[split]\ntime = "none"\n')
    project = Project(tmp_path)
    project.run(to="prepare")
    index = project.store.get_table(project.report("audit").index)
    rows = dict(zip(index["id"].to_pylist(), index["row"].to_pylist()))
    items = show_items(project.store, project.report("prepare"), list(rows))
    assert len(items) > 80
    for item in items:
        row = rows[item.id]
        assert set(item.shown) == {"visit", "at", "size"}
        assert item.shown["visit"] == ("missing" if row == 3 else str(days[row].date()))
        day, said = item.shown["at"].split(" about ")
        assert day == str(days[row].date())
        assert abs(pd.Timestamp(f"{day} {said}") - moments[row]) <= pd.Timedelta(minutes=2)
