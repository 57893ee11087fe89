"""Where eventlet's own tests come from: the source distribution of a fixed release, kept in pytest's cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

VERSION = "0.41.3"
SHA256 = "66d1883f276e94d040d007e99d7085e6aa5f2738c5b8783d165a137050dc8fb6"


@pytest.fixture(scope="session")
def own_tests(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the package ``tests`` of eventlet, as it was released."""
    archive = pytestconfig.cache.mkdir("sources") / f"eventlet-{VERSION}.tar.gz"
    if not archive.is_file():
        _download(archive.parent)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found == SHA256, f"{archive} is not the released one; delete it"
    place = tmp_path_factory.mktemp("eventlet")
    inside = f"eventlet-{VERSION}/tests/"
    with tarfile.open(archive) as source:
        source.extractall(place, [each for each in source if each.name.startswith(inside)], filter="data")
    return place / f"eventlet-{VERSION}"


def _download(folder: Path) -> None:
    wanted = [f"eventlet=={VERSION}", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", *wanted]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"eventlet's own tests are in its source distribution, and pip cannot get it.\n"
            f"Put eventlet-{VERSION}.tar.gz into {folder}, or see why: {' '.join(pip)}\n{done.stderr}",
            pytrace=False,
        )
