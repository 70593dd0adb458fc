"""The shipped runbook with steps of a test's own."""

from pathlib import Path

from isla_console.resources import resource


def runbook_with(folder: Path, steps: str) -> Path:
    """A file in `folder`: the shipped runbook, whose first issue's diagnosis is `steps`.

    It declares two more inputs: `WHO`, and `KEY`, a secret.
    """
    text = resource("runbook.yaml").read_text()
    start = text.index("    diagnosis:\n") + len("    diagnosis:\n")
    end = text.index("    resolutions:\n", start)
    inputs = text.index("inputs:\n") + len("inputs:\n")
    extra = "  WHO: {title: Whom to greet}\n  KEY: {title: A key, type: secret, secret: true}\n"
    text = text[:inputs] + extra + text[inputs:start] + steps + text[end:]
    file = folder / "runbook.yaml"
    file.write_text(text)
    return file


def shell(id: str, run: str, effect: str = "read", more: str = "") -> str:
    """A shell step as it stands in a runbook; `more` are further lines of it."""
    lines = "\n".join(f"          {line}" for line in run.splitlines())
    return (
        f"      - id: {id}\n        title: Step {id}\n        kind: shell\n        effect: {effect}\n"
        f"        run: |\n{lines}\n{more}"
    )
