"""Configuration: where a value comes from, what is wrong with it, and that secrets stay secret."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.traceback import Traceback

from isla_console.cli import main
from isla_console.clock import Clock
from isla_console.session.session import Session
from isla_console.settings import resolve as module
from isla_console.settings.resolve import Settings, SettingsError
from isla_console.settings.secret import MASK, Secret
from isla_console.ui.views.home import home_rows

DSN = "postgresql://ana:s3cret-w0rd@db/x"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own."""
    return {"HOME": str(tmp_path)}


def write_config(home: dict[str, str], text: str, mode: int = 0o600) -> Path:
    path = Path(home["HOME"]) / ".config/isla-console/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def findings_of(home: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.load(home)
    return caught.value.findings


def test_with_nothing_set_everything_has_a_place(home: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.load(home)
    assert settings.state_dir == tmp_path / ".local/state/isla-console"
    assert settings.config_dir == tmp_path / ".config/isla-console"
    assert settings.cache_dir == tmp_path / ".cache/isla-console"
    assert settings.actor
    assert settings.host
    assert settings.drill is None
    assert settings.get("ISLA_APP_URL") is None
    assert settings.origin("ISLA_APP_URL") == "not set"
    assert (settings.get("ISLA_THEME"), settings.origin("ISLA_THEME")) == ("dark", "default")
    assert settings.findings == ()
    assert not settings.flag("ISLA_ASCII")


def test_the_first_source_wins(home: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://file\n")
    write_config(home, 'ISLA_APP_URL = "https://config"')

    def found(extra: dict[str, str], **overrides: str) -> tuple[str | None, str]:
        settings = Settings.load(home | extra, overrides=overrides)
        return settings.get("ISLA_APP_URL"), settings.origin("ISLA_APP_URL")

    everything = {"ISLA_APP_URL": "https://env", "ISLA_APP_URL_FILE": str(file)}
    assert found(everything, ISLA_APP_URL="https://cli") == ("https://cli", "command line")
    assert found(everything) == ("https://env", "environment")
    assert found({"ISLA_APP_URL_FILE": str(file)}) == ("https://file", f"file {file}")
    assert found({}) == ("https://config", "config.toml")
    assert found({"ISLA_APP_URL": ""}) == ("https://config", "config.toml")


def test_both_a_value_and_a_file_is_worth_a_word(home: dict[str, str]) -> None:
    settings = Settings.load(home | {"ISLA_APP_URL": "https://a", "ISLA_APP_URL_FILE": "/nowhere"})
    assert [str(finding) for finding in settings.findings] == [
        "environment: ISLA_APP_URL and ISLA_APP_URL_FILE are both set: ISLA_APP_URL is taken"
    ]


def test_any_name_can_be_asked_for(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\r\n")
    write_config(home, "PAYMENTS_PORT = 8443\nPAYMENTS_DEBUG = true")
    settings = Settings.load(home | {"PAYMENTS_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.get("PAYMENTS_PORT") == "8443"
    assert settings.flag("PAYMENTS_DEBUG")
    token = settings.secret("PAYMENTS_TOKEN")
    assert token is not None
    assert token.reveal() == "t0ken"


def test_a_declared_secret_is_only_given_as_one(home: dict[str, str]) -> None:
    settings = Settings.load(home | {"ISLA_DATABASE_URL": DSN})
    assert settings.get("ISLA_DATABASE_URL") == MASK
    assert settings.secret("ISLA_DATABASE_URL") == Secret(DSN)


class TestValueFiles:
    @pytest.mark.parametrize(
        ("kind", "problem"),
        [
            ("missing", "no such file"),
            ("directory", "is a directory"),
            ("huge", "is larger than 64 KiB"),
            ("empty", "is empty"),
            ("binary", "is not UTF-8 text"),
            ("lines", "holds more than one line: a value is one line"),
            ("device", "is no regular file"),
            ("pipe", "is empty"),
            ("loop", "too many levels of symbolic links"),
            ("nul", "cannot be opened"),
        ],
    )
    def test_what_cannot_be_read_is_a_finding(
        self, home: dict[str, str], tmp_path: Path, kind: str, problem: str
    ) -> None:
        path = tmp_path / "secret"
        match kind:
            case "directory":
                path.mkdir()
            case "huge":
                path.write_bytes(b"x" * 70_000)
            case "empty":
                path.write_text("\n")
            case "binary":
                path.write_bytes(b"\xff\xfe")
            case "lines":
                path.write_text("s3cret-w0rd\nmore\n")
            case "device":
                path = Path("/dev/zero")
            case "pipe":
                os.mkfifo(path)
            case "loop":
                path.symlink_to(path)
            case "nul":
                path = Path("a\0b")
        settings = Settings.load(home | {"ISLA_DATABASE_URL_FILE": str(path)})
        assert settings.secret("ISLA_DATABASE_URL") is None
        told = settings.problem("ISLA_DATABASE_URL")
        assert told is not None
        assert told.startswith("ISLA_DATABASE_URL_FILE: ")
        assert told.endswith(problem)
        assert [finding.severity for finding in settings.findings] == ["error"]
        assert "s3cret" not in repr((settings, settings.findings))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_an_unreadable_one(self, home: dict[str, str], tmp_path: Path) -> None:
        path = tmp_path / "secret"
        path.write_text("x")
        path.chmod(0)
        settings = Settings.load(home | {"ISLA_DATABASE_URL_FILE": str(path)})
        assert settings.problem("ISLA_DATABASE_URL") == f"ISLA_DATABASE_URL_FILE: {path}: permission denied"

    def test_the_config_file_can_name_one_too(self, home: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "secret").write_text(DSN + "\n")
        write_config(home, f'ISLA_DATABASE_URL_FILE = "{tmp_path}/secret"')
        assert Settings.load(home).secret("ISLA_DATABASE_URL") == Secret(DSN)
        path = write_config(home, '\nISLA_DATABASE_URL_FILE = "/nowhere"')
        (finding,) = Settings.load(home).findings
        assert str(finding) == f"{path}:2:1: ISLA_DATABASE_URL_FILE: /nowhere: no such file"


class TestConfigFile:
    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ('A = "x"\nB = \n', ":2:5: "),
            ('A = "x"\n  = 1', ":2:3: "),
            ("A = 1\nA = 2", ":2:6: "),
            ('A = "never ends', ":1:16: "),
            ("[isla]\nISLA_APP_URL = 1", ':1:2: isla is a table: write NAME = "value", keys are flat'),
            ('\n  ISLA_LINK_CHECK = ["a:1"]', ":2:3: ISLA_LINK_CHECK is a list: write NAME"),
        ],
    )
    def test_a_broken_one_is_refused_with_the_place(
        self, home: dict[str, str], text: str, where: str
    ) -> None:
        path = write_config(home, text)
        (finding,) = findings_of(home)
        assert finding.startswith(f"{path}{where}")

    def test_no_secret_is_quoted_from_a_broken_one(self, home: dict[str, str]) -> None:
        for text in (
            "ISLA_DATABASE_URL = s3cret-w0rd",
            'ISLA_DATABASE_URL = "s3cret-w0rd',
            'ISLA_DATABASE_URL = ["s3cret-w0rd"]',
            'ISLA_DATABASE_URL = "s3cret-w0rd" s3cret-w0rd',
        ):
            write_config(home, text)
            assert "s3cret" not in repr(findings_of(home))

    def test_what_is_no_text_file_is_refused(self, home: dict[str, str]) -> None:
        path = write_config(home, "")
        path.write_bytes(b'A = "x"\nB = "\xff"')
        assert findings_of(home) == (f"{path}:2:1: is not UTF-8 text",)
        path.write_bytes(b"#" * 2_000_000)
        assert findings_of(home) == (f"{path}: is larger than 1024 KiB",)
        path.unlink()
        path.mkdir()
        assert findings_of(home) == (f"{path}: is a directory",)

    def test_a_bomb_is_refused(self, home: dict[str, str]) -> None:
        write_config(home, "A = " + "[" * 100_000)
        assert findings_of(home)

    def test_an_unknown_key_is_a_warning_with_the_nearest(self, home: dict[str, str]) -> None:
        path = write_config(home, 'ISLA_APP_URI = "x"\nPAYMENTS_URL = "y"\nISLA_ACTOR = "ana"\n')
        settings = Settings.load(home)
        assert [str(finding) for finding in settings.unknown_keys(["PAYMENTS_URL"])] == [
            f"{path}:1:1: unknown key ISLA_APP_URI: did you mean ISLA_APP_URL?"
        ]
        assert [finding.name for finding in settings.unknown_keys()] == ["ISLA_APP_URI", "PAYMENTS_URL"]

    def test_a_secret_that_others_can_read_is_a_warning(self, home: dict[str, str]) -> None:
        path = write_config(home, f'ISLA_DATABASE_URL = "{DSN}"', mode=0o644)
        settings = Settings.load(home)
        (finding,) = settings.findings
        assert finding.severity == "warning"
        assert str(finding) == f"{path}: holds ISLA_DATABASE_URL and others can read it: chmod 600"
        assert settings.secret("ISLA_DATABASE_URL") == Secret(DSN)
        path.chmod(0o600)
        assert Settings.load(home).findings == ()
        write_config(home, 'ISLA_ACTOR = "ana"', mode=0o644)
        assert Settings.load(home).findings == ()


def test_every_value_that_is_refused_is_said_at_once(home: dict[str, str]) -> None:
    path = write_config(home, 'ISLA_APP_URL = ["a"]\nISLA_THEME = "pink"\n[isla]\n')
    assert [finding.removeprefix(f"{path}:")[:24] for finding in findings_of(home)] == [
        "1:1: ISLA_APP_URL is a l",
        "3:2: isla is a table: wr",
        "2:1: ISLA_THEME is pink:",
    ]


MISSPELT = """\
ISLA_APP_URI = "x"
ISLA_ACTR = "ana"
ISLA_DATABASE_URL_FILE = "/nowhere"
"""


def misspelt(path: Path) -> list[str]:
    return [
        f"{path}:3:1: ISLA_DATABASE_URL_FILE: /nowhere: no such file",
        f"{path}:1:1: unknown key ISLA_APP_URI: did you mean ISLA_APP_URL?",
        f"{path}:2:1: unknown key ISLA_ACTR: did you mean ISLA_ACTOR?",
    ]


def test_check_says_what_is_wrong_with_the_configuration(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(home, MISSPELT)
    for name in list(os.environ):
        if name.startswith(("ISLA_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", home["HOME"])
    assert main(["check"]) == 0
    assert capsys.readouterr().err.splitlines() == misspelt(path)


def test_the_overview_says_what_is_wrong_with_the_configuration(home: dict[str, str]) -> None:
    path = write_config(home, MISSPELT)
    session = Session(Settings.load(home), Clock())
    asyncio.run(session.load_runbook())
    state = session.state(session.clock.now())
    assert state is not None
    shown = "".join(row.content.plain.replace(" ", "") for row in home_rows(state, 60))
    for problem in misspelt(path):
        assert problem.replace(" ", "") in shown


def test_a_wrong_theme_is_refused(home: dict[str, str]) -> None:
    assert findings_of(home | {"ISLA_THEME": "pink\x1b"}) == (
        "environment: ISLA_THEME is pink?: write dark or light",
    )


def test_directories_follow_xdg(home: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.load(home | {"XDG_STATE_HOME": "/var/x", "XDG_CACHE_HOME": "relative"})
    assert settings.state_dir == Path("/var/x/isla-console")
    assert settings.cache_dir == tmp_path / ".cache/isla-console"
    assert Settings.load(home | {"ISLA_STATE_DIR": "/a/../b"}).state_dir == Path("/b")
    assert Settings.load({"HOME": ""}).state_dir.is_absolute()


def test_the_actor_is_a_person(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load(home | {"ISLA_ACTOR": "ana\x1b[31m\n"}).actor == "ana[31m"
    monkeypatch.setattr(module, "_login", lambda environ: "root")
    assert Settings.load(home).actor == "root"
    monkeypatch.undo()
    if os.geteuid() == 0:
        assert Settings.load(home | {"SUDO_USER": "ben"}).actor == "ben"


def test_settings_in_a_traceback_with_locals_show_no_secret(home: dict[str, str]) -> None:
    write_config(home, 'STRIPE_API_KEY = "sk-s3cret"')
    settings = Settings.load(home | {"ISLA_DATABASE_URL": DSN})

    def fail(settings: Settings, secret: Secret | None) -> None:
        raise RuntimeError(f"cannot use {settings} and {secret}")

    out = io.StringIO()
    try:
        fail(settings, settings.secret("ISLA_DATABASE_URL"))
    except RuntimeError as error:
        trace = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
        Console(file=out, width=300).print(trace.trace.stacks[0].frames[-1])
    assert "ISLA_DATABASE_URL" in out.getvalue()
    assert "s3cret" not in out.getvalue()
    assert "s3cret" not in repr(settings)


def test_files_that_others_write_are_said(home: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.load(home)
    config = settings.config_dir / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('ISLA_THEME = "dark"\n')
    config.chmod(0o666)
    settings.state_dir.mkdir(parents=True)
    settings.state_dir.chmod(0o777)
    said = [str(one) for one in Settings.load(home).findings]
    assert said == [
        f"{config}: others can write it, and so decide what runs: chmod 600",
        f"{settings.state_dir}: others can write into it, and so change what is recorded: chmod 700",
    ]
    config.chmod(0o600)
    settings.state_dir.chmod(0o700)
    assert Settings.load(home).findings == ()


def test_a_secret_that_is_too_short_to_be_hidden_is_said(home: dict[str, str]) -> None:
    (found,) = Settings.load(home | {"VERCEL_TOKEN": "abc"}).findings
    assert "shorter than 4 characters" in str(found)
    assert "abc" not in str(found)
    assert Settings.load(home | {"VERCEL_TOKEN": "abcd"}).findings == ()
