"""The command line, and what it returns."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolproof import __version__
from poolproof.__main__ import main
from poolproof.replay import Recorder
from replay.traces import TURNS, changed, events


@pytest.fixture
def write(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


def recorded(lines: list[str], path: Path) -> str:
    recorder = Recorder()
    for event in events(lines):
        recorder(event)
    recorder.write(path)
    return str(path)


@pytest.mark.clause("TRACE-REPLAYS")
def test_a_true_trace_returns_0(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", recorded(list(TURNS), write)]) == 0
    assert capsys.readouterr().out.endswith("the trace holds\n")


@pytest.mark.clause("TRACE-REPLAYS")
def test_an_untrue_trace_returns_1(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", recorded(changed({4: "RELEASE 1 1"}), write)]) == 1
    assert "version 4: [TRACE-REPLAYS]" in capsys.readouterr().out


def test_no_trace_returns_2(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(write)]) == 2
    write.write_text("nothing of the kind\n", encoding="utf-8")
    assert main(["replay", str(write)]) == 2
    assert capsys.readouterr().err.count("poolproof: ") == 2


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["demo", "--seconds", "nan"], ["demo", "--seconds", "0"], ["demo", "--threads", "0"],
     ["demo", "--threads", "many"], ["demo", "--seed", "x"], ["replay"], ["explore", "--config", "nothing"]],
)  # fmt: skip
def test_a_senseless_command_line_returns_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["replay", "--help"], ["explore", "--help"]])
def test_help_returns_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"poolproof {__version__}\n"


def test_explore_is_the_models_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--config", "finite", "--clients", "1", "--slots", "1"]) == 0
    assert "states" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--database", "--trace"])
def test_the_demo_writes_over_nothing_and_nowhere(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", option, str(tmp_path / "nowhere" / "file")]) == 2
    if option == "--database":
        assert main(["demo", option, __file__]) == 2
        assert "exists already" in capsys.readouterr().err
