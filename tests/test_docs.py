"""The docs say all there is: each setting, command, error and finding has a heading, each heading is about something, and code blocks run."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from surefoot import settings
from surefoot.cli.arguments import arrange
from surefoot.cli.main import app, main
from surefoot.models.grammar import KINDS
from surefoot.types import errors

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
AREAS = ("data", "split", "prepare", "model", "train", "search", "diagnose", "export", "serve", "store")


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _sections(name: str, level: str = "###") -> dict[str, str]:
    """Heading, without backticks -> the text below it."""
    parts = re.split(rf"^{level} (.+)$", _read(name), flags=re.MULTILINE)
    return {head.strip("` "): re.split(r"^##? ", text, flags=re.MULTILINE)[0] for head, text in zip(parts[1::2], parts[2::2])}


# settings


def test_the_page_of_settings_is_what_the_settings_say():
    spec = importlib.util.spec_from_file_location("write_settings", DOCS / "write_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert _read("settings.md") == module.describe(), "Give: python docs/write_settings.py"


def test_each_setting_has_a_heading_with_default_and_meaning():
    sections = _sections("settings.md")
    assert set(sections) == set(settings.keys())
    assert not [name for name, meaning in settings.keys().items() if meaning not in sections[name] or "efault" not in sections[name]]


# commands


def test_each_command_has_a_heading():
    assert {head.split()[1] for head in _sections("commands.md")} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_option_of_a_command_is_told(name):
    """Those that all steps share are told once, below the steps."""
    text = next(text for head, text in _sections("commands.md").items() if head.split()[1] == name)
    shared = {"--budget", "--set", "--past", "--device", "--json"} if "Walks s" in text else {"--json"} if "`--json` for programs" in text else set()
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")} - shared - {"--help"}
    assert not [option for option in options if f"`{option}" not in text]


# errors


def test_each_error_has_a_heading_with_its_exit_code():
    sections = _sections("errors.md", "##")
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.SurefootError)}
    assert set(kinds) == set(sections) - {"Exit codes"}
    assert not [name for name, kind in kinds.items() if f"Exit code {kind.exit_code}" not in sections[name]]


def test_each_exit_code_is_in_the_table_and_in_the_help():
    table = set(re.findall(r"^\| (\d+) \|", _read("errors.md"), flags=re.MULTILINE))
    assert table == set(re.findall(r"(\d+) [a-z]", app.info.epilog or ""))


# findings


def _emitted() -> set[str]:
    """Every finding code in the source: texts of the form `area.word` that are neither settings nor files; `diagnose.*` for composed ones."""
    found = set()
    for path in (ROOT / "src" / "surefoot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(rf"({'|'.join(AREAS)})\.[a-z_]+", node.value):
                found.add(node.value)
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.JoinedStr):
                found |= _composed(node.value)
    return found - set(settings.keys()) - {"model.onnx", "model.safetensors", "model.txt", "model.size", "train.csv"}


def _composed(text: ast.JoinedStr) -> set[str]:
    """`f"diagnose.{verdict}"`: the verdicts are the gaps of the report."""
    assert ast.unparse(text) == "f'diagnose.{verdict}'"
    return {"diagnose.bias", "diagnose.variance", "diagnose.mismatch"}


def test_each_finding_has_a_heading_and_each_heading_a_finding():
    assert set(_sections("findings.md")) == _emitted()


@pytest.mark.parametrize("part", ["**Means.**", "**Measured.**", "**Source.**", "**Do.**"])
def test_each_finding_says_what_it_means_how_it_is_measured_its_source_and_what_to_do(part):
    assert not [code for code, text in _sections("findings.md").items() if text.count(part) != 1]


# what stands in code blocks


def _blocks(language: str) -> list[tuple[str, str]]:
    pages = [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    pattern = re.compile(rf"^```{language}\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in pages if page.is_file() for block in pattern.findall(page.read_text(encoding="utf-8"))]


def test_each_layer_of_the_notation_is_told():
    assert [kind for kind in KINDS if not re.search(rf"`{kind}[0-9.`]", _read("commands.md"))] == []


def test_commands_in_the_docs_can_be_parsed():
    """They are not run, but every word of them is known: a renamed option shows here."""
    told = 0
    for page, block in _blocks("(?:bash|sh|console)"):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["surefoot"] and len(words) > 1 and not words[1].startswith("-"):
                command = COMMANDS.get(words[1])
                assert command is not None, f"{page}: {line}"
                command.make_context(words[1], arrange(words[2:]), resilient_parsing=False)
                told += 1
    assert told > 0


def test_settings_in_the_docs_are_settings():
    import tomllib

    for page, block in _blocks("toml"):
        assert settings.check(tomllib.loads(block), where=page)


def test_python_in_the_docs_is_python():
    for page, block in _blocks("python"):
        assert ast.parse(block, filename=page)


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_help_of_the_steps_is_the_purpose_that_the_report_tells(capsys):
    from surefoot.reporting.road import ROAD

    assert main(["tune", "--help"]) == 0
    assert " ".join(ROAD["s08_tune"].purpose.split()) in " ".join(capsys.readouterr().out.split())
