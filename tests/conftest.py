"""What every run shares: the Hypothesis profile, the seed, and a header that says what is running.

Profile: ``HYPOTHESIS_PROFILE=dev|ci|thorough``, or ``--hypothesis-profile``; ``ci`` when ``CI`` is true.
Seed: ``POOLPROOF_SEED``, or ``--hypothesis-seed``. Every run prints its seed; the same seed repeats the run.
"""

from __future__ import annotations

import gc
import os
import platform
import random
import sys

import hypothesis
import pytest
from hypothesis import HealthCheck, settings

# No deadline: a slow machine is not a defect. The blob repeats a failure without the database of examples.
settings.register_profile("dev", deadline=None, print_blob=True, max_examples=100)
settings.register_profile(
    "ci",
    deadline=None,
    print_blob=True,
    derandomize=True,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough",
    deadline=None,
    print_blob=True,
    max_examples=5_000,
    suppress_health_check=[HealthCheck.too_slow],
)

_SEED = pytest.StashKey[int]()


def _default_profile() -> str:
    on_ci = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    return os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if on_ci else "dev")


def _profile(config: pytest.Config) -> str:
    return config.getoption("--hypothesis-profile") or _default_profile()


# At import, hence before any module of tests reads settings.default; the command line still overrides it.
settings.load_profile(_default_profile())


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed before Hypothesis' own plugin reads its option."""
    given = config.getoption("--hypothesis-seed") or os.environ.get("POOLPROOF_SEED")
    on_ci = _profile(config) == "ci"
    seed = int(given) if given else 0 if on_ci else random.SystemRandom().randrange(2**32)
    config.stash[_SEED] = seed
    # A forced seed switches Hypothesis' database of failures off: whoever asks for none keeps the database.
    if given or on_ci:
        config.option.hypothesis_seed = str(seed)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say everything that a reader needs to repeat the run."""
    forced = config.getoption("--hypothesis-seed") is not None
    failures = "database off" if forced else "failures are kept, and print their own blob"
    return [
        f"python: {platform.python_implementation()} {sys.version}",
        f"gil: {_gil()}; switch interval: {sys.getswitchinterval()} s; hash seed: {_hash_seed()}",
        f"hypothesis {hypothesis.__version__}, profile {_profile(config)}; {failures}",
        f"seed: {config.stash[_SEED]} (repeat with POOLPROOF_SEED={config.stash[_SEED]})",
    ]


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of this run, for explorations that Hypothesis does not draw."""
    return pytestconfig.stash[_SEED]


def _gil() -> str:
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    return "on" if enabled else "off"


def _hash_seed() -> str:
    return os.environ.get("PYTHONHASHSEED", "random")


@pytest.fixture(scope="module", autouse=True)
def _what_earlier_modules_keep_is_not_collected_again() -> None:
    """Explorations are kept for the tests that share them: millions of objects that each collection would walk."""
    gc.collect()
    gc.freeze()
