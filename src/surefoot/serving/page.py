"""The page to try a model on: one file, no script from elsewhere, everything that comes from data escaped by the template."""

from __future__ import annotations

import functools
import secrets
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from surefoot.exporting.predictor import Predictor
from surefoot.serving.example import write_arguments

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing runs but the page's own script."""


def make_nonce() -> str:
    """Marks the page's own script and style, anew for each answer."""
    return secrets.token_urlsafe(16)


def render_page(predictor: Predictor, nonce: str) -> str:
    """The page for a bundle: a picture to upload, or a form with a field per column."""
    manifest, recipe = predictor.manifest, predictor.recipe
    columns: list[dict[str, Any]] = recipe.get("columns", [])
    arguments = write_arguments(recipe)
    return _template().render(manifest=manifest, kind=recipe["kind"], columns=columns, arguments=arguments, nonce=nonce)


@functools.cache
def _template() -> Template:
    return Environment(loader=PackageLoader("surefoot.serving", "."), autoescape=True, undefined=StrictUndefined).get_template("page.html")
