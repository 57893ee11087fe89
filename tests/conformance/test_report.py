"""What the suite says, and how: verdicts, exit codes, files, the page in a browser, the command line, pytest."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from conformance import broken_plain as plain
from conformance.broken_plain import mistaken
from conformance.plain import Plain, PlainPool
from conformance.promises import TARGET, written
from poolproof.conformance import Adapter, AdapterError, PoolSpec
from poolproof.conformance.suite.adapter import subject
from poolproof.conformance.suite.command import main
from poolproof.conformance.suite.report.findings import Report, known_deviations, swim_lane
from poolproof.conformance.suite.report.page import page
from poolproof.conformance.suite.report.terminal import endings, findings, plain_table
from poolproof.conformance.suite.running import Result, attempt, chosen, promises, quiet, scenarios

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "poolproof.conformance.suite.plugin"
BROKEN = "conformance.test_report:double_releases"
DOUBLE = "LEASE-ONCE:second-release-frees-nothing"
double_releases = mistaken(check=plain.accepts_all)


def reported(factory: Any, only: list[str], known: dict[str, str] | None = None) -> Report:
    """One run of each, with little patience."""
    pool = subject(factory)
    results: list[Result] = []
    with quiet():
        for scenario in chosen(only):
            reason = pool.why_not(scenario.needs)
            if reason is not None:
                results.append(Result(scenario, "not applicable", reason))
            else:
                results.append(attempt(scenario, pool, seed=0, effort=1, patience=0.6))
    return Report(pool, results, 0, 1, known or {})


def here() -> dict[str, str]:
    """The environment of a process that finds the tests' modules, wherever it runs."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *(each for each in sys.path if each)])}


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=here(), capture_output=True, text=True, check=False, timeout=120)


# The promises


def test_clauses_are_quoted_as_the_specification_has_them() -> None:
    assert written() == TARGET.read_text(encoding="utf-8"), (
        "run: PYTHONPATH=docs/tools python tests/conformance/promises.py"
    )


def test_every_scenario_is_for_a_clause_and_says_what_it_does() -> None:
    ids = [each.id for each in scenarios()]
    assert len(ids) == len(set(ids))
    assert set() == {each.clause for each in scenarios()} - set(promises())
    assert [] == [each.id for each in scenarios() if not each.told.endswith(".")]


# Adapters


class NoRelease:
    def __init__(self, spec: PoolSpec) -> None:
        self.create = spec.create

    def acquire(self, timeout: float | None) -> object:
        return timeout


def unmakeable(spec: PoolSpec) -> Any:
    raise OSError(f"no server for {spec.max_size}")


class Opaque(Plain):
    def resource(self, lease: Any) -> Any:
        return lease


class Careless(Plain):
    lacks = {"speed": "it is slow"}  # noqa: RUF012


class Odd(Plain):
    timeout_error = "late"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("factory", "complaint"),
    [
        ("nonsense", "not of the form package.module:factory"),
        ("no_such_package.at_all:make", "there is no module 'no_such_package'"),
        ("conformance.plain:missing", "has no 'missing'"),
        ("conformance.test_report:ROOT", "not a function that takes a PoolSpec"),
        (42, "a factory must be callable"),
        (NoRelease, "has no method release"),
        (unmakeable, "making a plain pool raised OSError: no server for 1"),
        (Opaque, "resource(lease) is a Token, and not what spec.create made"),
        (Careless, "lacks names speed; known are create"),
        (Odd, "timeout_error must be an exception type"),
        (Adapter, "takes no arguments"),
    ],
)
def test_adapter_that_makes_no_sense_is_refused_with_a_reason(factory: Any, complaint: str) -> None:
    with pytest.raises(AdapterError, match=re.escape(complaint)):
        subject(factory)


def test_what_is_not_read_is_not_there() -> None:
    lacks = subject("conformance.plain:make_pool").lacks
    assert "the adapter does not read spec.check" == lacks["check"]
    assert "the adapter has no method resize" == lacks["resize"]
    assert "create" not in lacks
    assert "close" not in lacks


def test_pool_needs_no_base_class() -> None:
    class Bare:
        def __init__(self, spec: PoolSpec) -> None:
            pool = PlainPool(spec.create, spec.max_size)  # type: ignore[arg-type]
            self.acquire, self.release = pool.acquire, pool.release

        def resource(self, lease: Any) -> Any:
            return lease.resource

    report = reported(Bare, ["WAIT-FIFO", "LEASE-ONCE", "EXCLUSIVE"])
    assert {"kept"} == {each.verdict for each in report.results}


# Verdicts


def test_finding_says_promise_deed_and_repetition() -> None:
    text = "\n".join(findings(reported(double_releases, [DOUBLE])))
    for part in ("exactly one MUST take effect", "is lent to C while B holds it", "release again(r1)", "The first one"):
        assert part.lower() in " ".join(text.lower().split())
    assert re.search(r"python -m poolproof conform \S+ --only LEASE-ONCE:second-release-frees-nothing --seed 0", text)


def test_lane_of_each_actor_is_a_column() -> None:
    (result,) = reported(double_releases, [DOUBLE]).results
    head, *rest = swim_lane(result.lines)
    assert ["A", "B", "C"] == head.split()
    assert [head.index("C")] == [line.index("acquire(0)") for line in rest if "acquire(0)" in line]


@pytest.mark.parametrize(
    ("factory", "only", "known", "code"),
    [
        ("conformance.plain:make_pool", "LEASE-ONCE", {}, 0),
        (BROKEN, DOUBLE, {}, 1),
        (BROKEN, DOUBLE, {DOUBLE: "the documentation forbids it"}, 0),
        ("conformance.plain:make_pool", DOUBLE, {DOUBLE: "the documentation forbids it"}, 1),
        ("conformance.plain:make_pool", "NO-DUPLICATES", {}, 0),
    ],
)
def test_exit_code(factory: str, only: str, known: dict[str, str], code: int) -> None:
    report = reported(factory, [only], known)
    assert code == report.exit_code
    gone = code == 1 and bool(known)
    assert gone == ("take it off the list" in "\n".join(endings(report)))


def test_what_could_not_be_shown_is_no_pass() -> None:
    report = reported(type("Local", (Plain,), {}), ["EXIT-FREE"])
    assert ["not shown"] == [each.verdict for each in report.results]
    assert 2 == report.exit_code


def test_table_gives_the_reason_of_an_absence() -> None:
    report = reported("conformance.plain:make_pool", ["FORK-SAFE", "LEASE-ONCE"])
    absent = next(line for line in plain_table(report) if line.startswith("FORK-SAFE"))
    assert "not applicable" in absent
    assert "a child must make a pool of its own" in absent


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[nonsense", "Expected ']'"),
        ('["NO-SUCH:thing"]\nreason = "x"', "no scenario is called 'NO-SUCH:thing'"),
        (f'["{DOUBLE}"]\nwhy = "x"', "needs a line: reason"),
    ],
)
def test_file_of_known_deviations_that_makes_no_sense(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AdapterError, match=re.escape(complaint)):
        known_deviations(path)


# The command line


def test_command_writes_both_files_and_says_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    as_json, as_html = tmp_path / "report.json", tmp_path / "report.html"
    code = main([BROKEN, "--only", DOUBLE, "--only", "EXCLUSIVE", "--json", str(as_json), "--html", str(as_html)])
    assert 1 == code
    told = json.loads(as_json.read_text(encoding="utf-8"))
    assert 1 == told["exit_code"]
    (finding,) = [each for each in told["results"] if each["verdict"] == "broken"]
    assert DOUBLE == finding["id"]
    assert ["A", "acquire()"] == finding["timeline"][0]
    assert finding["repeat"] in capsys.readouterr().out
    assert DOUBLE in as_html.read_text(encoding="utf-8")


def test_printed_command_repeats_the_finding(capsys: pytest.CaptureFixture[str]) -> None:
    main([BROKEN, "--only", DOUBLE])
    match = re.search(r"python (-m poolproof conform .+)", capsys.readouterr().out)
    assert match is not None
    again = run(*match[1].split())
    assert (1, "") == (again.returncode, again.stderr)
    assert "is lent to C while B holds it" in again.stdout


def test_known_deviations_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "known.toml"
    path.write_text(f'["{DOUBLE}"]\nreason = "the documentation forbids it"\n', encoding="utf-8")
    assert 0 == main([BROKEN, "--only", DOUBLE, "--known", str(path)])
    assert "(known: the documentation forbids it)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["no_such_package:make"], [], ["conformance.plain:make_pool", "--only", "NOTHING"]],
)
def test_command_that_makes_no_sense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(arguments)
    assert capsys.readouterr().err.startswith("poolproof: ")


def test_list_names_scenarios_and_features(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--list"])
    told = capsys.readouterr().out
    assert DOUBLE in told
    assert "abandoned-leases" in told


# The page, in a browser

MEASURE = """
<script>
const lanes = [...document.querySelectorAll('.lanes')].map(each => each.getBoundingClientRect());
document.title = JSON.stringify({
  lanes: lanes.map(each => [Math.round(each.width), Math.round(each.height)]),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  rows: document.querySelectorAll('#clauses tbody tr').length,
  cells: [...document.querySelectorAll('.lanes tbody tr')].map(row => row.innerText.trim()),
  verdict: getComputedStyle(document.querySelector('#verdict')).color,
  errors: document.querySelectorAll('parsererror').length,
});
</script>
"""


def test_page_shows_every_lane_in_a_browser(tmp_path: Path) -> None:
    report = reported(double_releases, [DOUBLE, "EXCLUSIVE", "FORK-SAFE"])
    text = page(report)
    assert "http" not in re.sub(r"https?://\S*localhost", "", text), "one page, and nothing from elsewhere"
    path = tmp_path / "page.html"
    path.write_text(text.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    seen = json.loads(html.unescape(browsed(path, tmp_path)))
    assert 0 == seen["errors"]
    assert not seen["wide"], "the page must not be wider than its window"
    assert len(report.clauses()) == seen["rows"]
    assert 1 == len(seen["lanes"])
    assert all(width > 200 and height > 100 for width, height in seen["lanes"])
    (broken,) = report.of("broken")
    assert [line.what for line in broken.lines] == [cell.split("\t")[-1].strip() for cell in seen["cells"]]
    assert "rgb(198, 40, 40)" == seen["verdict"]


def browsed(path: Path, folder: Path) -> str:
    """The title of the page after its scripts ran, in Chromium without a window."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert browser is not None, "needs Debian's package chromium"
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1000,900",
        f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert match is not None, done.stderr
    return match[1]


# Under pytest


def pytested(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    installed = any(PLUGIN == each.value for each in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", PLUGIN]
    return run("-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments, cwd=cwd)


def test_installed_suite_runs_on_the_pool_that_is_named(tmp_path: Path) -> None:
    only = "LEASE-ONCE or FORK-SAFE"
    paths = ["--junitxml", str(tmp_path / "junit.xml"), "--pool-json", str(tmp_path / "report.json")]
    done = pytested(
        "--pyargs", "poolproof.conformance", "-m", "stateful", "--pool", BROKEN, "-k", only, *paths, cwd=tmp_path
    )
    assert 1 == done.returncode, done.stdout + done.stderr
    assert f"test_clause[{DOUBLE}]" in done.stdout
    cases = {each.get("name"): each for each in ET.parse(tmp_path / "junit.xml").iter("testcase")}
    failed = cases[f"test_clause[{DOUBLE}]"].find("failure")
    assert failed is not None
    assert "is lent to C while B holds it" in (failed.text or "")
    assert cases["test_clause[FORK-SAFE:child-gets-resources-of-its-own]"].find("skipped") is not None
    assert 1 == json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["exit_code"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [([], "which pool? say --pool"), (["--pool", "no_such_package:make"], "there is no module 'no_such_package'")],
)
def test_missing_or_unknown_pool_is_an_error_and_no_skip(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    done = pytested("--pyargs", "poolproof.conformance", *arguments, "-k", DOUBLE, cwd=tmp_path)
    assert 0 != done.returncode
    assert complaint in done.stdout + done.stderr
    assert "skipped" not in done.stdout


OWN_TREE = """
from conformance.test_report import double_releases
from conformance.plain import Plain
from poolproof.conformance import PoolConformance

class TestRight(PoolConformance):
    make_pool = Plain

class TestWrong(PoolConformance):
    make_pool = double_releases
"""


def test_derived_class_in_ones_own_tests(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(OWN_TREE, encoding="utf-8")
    done = pytested("test_mine.py", "-k", DOUBLE.partition(":")[2], cwd=tmp_path)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr


def test_hanging_pool_does_not_hang_the_command(tmp_path: Path) -> None:
    done = run("-m", "poolproof", "conform", "conformance.test_report:hangs", "--only", "TIMEOUT-VALUES", cwd=tmp_path)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "never returns" in done.stdout


hangs: Callable[[PoolSpec], Any] = plain.with_timeout(lambda timeout: timeout or None)
