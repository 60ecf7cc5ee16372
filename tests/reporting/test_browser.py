"""The page in a real browser."""

from __future__ import annotations

import html
import shutil
import subprocess

import pytest

from surefoot.reporting.page import render

from .pieces import MemoryStore
from .samples import image_project

MEASURE = """<!doctype html><body><script>addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, flat = [...page.querySelectorAll("main svg")].filter(s => s.checkVisibility() && s.getBoundingClientRect().height < 10)
    return [page.documentElement.scrollWidth, flat.length, getComputedStyle(page.querySelector(".card")).borderTopLeftRadius, page.images.length,
            [...page.images].filter(image => image.complete && image.naturalWidth === 0).length].join(" ")
  })
  document.body.innerHTML = "<p>measured: " + found.join(" | ") + "</p>"
})</script>"""


def test_a_browser_shows_all_of_it_from_phone_to_desk(tmp_path):
    """Nothing is wider than the screen, no chart is flat, the style holds, and every picture opens."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here to look at the page with")
    store = MemoryStore()
    page = html.escape(render("digits", image_project(store), store=store).decode())
    frames = "".join(f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>' for width in (420, 1300))
    (tmp_path / "measure.html").write_text(MEASURE + frames, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    command = [browser, *flags, "--disable-sync", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run([*command, (tmp_path / "measure.html").as_uri()], capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout.partition("measured: ")[2].partition("</p>")[0]
    phone, desk = (frame.split(" ") for frame in told.split(" | "))
    assert (phone[:3], desk[:3]) == (["420", "0", "14px"], ["1300", "0", "14px"])
    assert int(desk[3]) > 80
    assert desk[4] == "0"
