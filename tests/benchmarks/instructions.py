"""Count instructions, which no other load on the machine changes, and compare them with the record.

In the folder of the tests, with valgrind installed::

    python -m benchmarks.instructions compare      ends with 1 if a scene takes 5 % more than recorded
    python -m benchmarks.instructions record       make the record of this interpreter anew
    python -m benchmarks.instructions show         count twice, and show how far the two are apart
    python -m benchmarks.instructions compare --source FOLDER grant_free

The counter is valgrind's callgrind, the script counted.py. Hashes are not randomised, nor are addresses where the
system lets us say so; the environment is empty, and the garbage collector off.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import poolproof
from benchmarks import machine
from benchmarks.counted import SCENES

FOLDER = Path(__file__).parent
RECORDS = FOLDER / "instructions"
SOURCE = Path(poolproof.__file__).resolve().parents[1]
REFERENCE = "queue.LifoQueue"
LOOPS = 500
LIMIT = 0.05


class NoCounter(Exception):
    """Nothing here can count instructions."""


def counts(scenes: list[str], source: Path = SOURCE, loops: int = LOOPS) -> dict[str, float]:
    """Instructions of one execution of each scene."""
    script = [sys.executable, "-s", "-S", "-P", str(FOLDER / "counted.py"), str(source), str(loops), *scenes]
    _run(script)  # compiles what is not compiled yet
    told = _run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *script])
    found = [int(count) for count in re.findall(r"Collected : (\d+)", told)]
    if len(found) != 2 * len(scenes) + 1:
        raise NoCounter(f"valgrind told {len(found)} counts of {2 * len(scenes) + 1}: {told[-400:]}")
    return {name: (found[2 * i + 1] - found[2 * i]) / loops for i, name in enumerate(scenes)}


def here() -> dict[str, str]:
    """What a count depends on, beside the code."""
    return {"python": sys.version, "counter": _run(["valgrind", "--version"]).strip()}


def compared(now: dict[str, float], record: dict[str, Any], by: dict[str, str]) -> tuple[list[str], bool]:
    """Lines that compare *now*, counted *by* this, with the record; and whether nothing takes too much more."""
    then: dict[str, float] = record["counts"]
    lines, scale, fine = [], 1.0, True
    if record["made by"] != by:
        if REFERENCE not in now:
            return [f"recorded by {record['made by']}, not by {by}: count {REFERENCE}, too"], False
        scale = now[REFERENCE] / then[REFERENCE]
        lines.append(f"recorded by {record['made by']}, not by {by}: all relative to {REFERENCE}, {scale:.3f}")
    for scene, count in now.items():
        if scene not in then:
            lines.append(f"{scene:<20} {count:10.0f}   NOT RECORDED")
            fine = False
            continue
        expected = then[scene] * scale
        change = count / expected - 1
        verdict = "TOO MUCH" if change > LIMIT else "less: record it anew" if change < -LIMIT else ""
        lines.append(f"{scene:<20} {count:10.0f}   recorded {expected:10.0f}   {change:+7.2%} {verdict}".rstrip())
        fine = fine and change <= LIMIT
    return lines, fine


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    scenes = options.scenes or [*SCENES]
    try:
        by, found = here(), counts(scenes, options.source)
        again = counts(scenes, options.source) if options.do == "show" else {}
    except NoCounter as error:
        print(f"instructions cannot be counted: {error}", file=sys.stderr)
        return 2
    record = RECORDS / f"{machine.interpreter()}.json"
    if options.do == "show":
        for scene in scenes:
            apart = abs(again[scene] / found[scene] - 1)
            print(f"{scene:<20} {found[scene]:10.1f} {again[scene]:10.1f}   apart {apart:.3%}")
        return 0
    if options.do == "record":
        RECORDS.mkdir(exist_ok=True)
        rounded = {scene: round(count) for scene, count in found.items()}
        kept = {"made by": by, "date": machine.now(), "loops": LOOPS, "counts": rounded}
        record.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if not record.is_file():
        print(f"there is no record for {machine.interpreter()}: make one by `record`", file=sys.stderr)
        return 2
    lines, fine = compared(found, json.loads(record.read_text(encoding="utf-8")), by)
    print("\n".join(lines))
    return 0 if fine else 1


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description="Count instructions.")
    parser.add_argument("do", choices=["compare", "record", "show"])
    parser.add_argument("scenes", nargs="*", metavar="scene", help=", ".join(SCENES))
    parser.add_argument("--source", type=Path, default=SOURCE, help="the folder that has poolproof in it")
    options = parser.parse_args(arguments)
    if unknown := {*options.scenes} - {*SCENES}:
        parser.error(f"no such scene: {', '.join(sorted(unknown))}")
    if options.do == "record" and options.scenes:
        parser.error("a record has all scenes")
    return options


@functools.cache
def _fixed() -> tuple[str, ...]:
    """What to begin a command with so that each run has the same addresses. Without it the last digits differ."""
    command = ("setarch", "-R")
    return (
        command if shutil.which(command[0]) and not subprocess.run([*command, "true"], check=False).returncode else ()
    )


def _run(command: list[str]) -> str:
    """What *command* wrote, to either stream; NoCounter if it is not there or fails."""
    alone = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"}
    if shutil.which(command[0]) is None:
        raise NoCounter(f"there is no {command[0]}; install it, as by `apt-get install {command[0]}`")
    done = subprocess.run([*_fixed(), *command], capture_output=True, text=True, check=False, env=alone)
    if done.returncode:
        raise NoCounter(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stderr + done.stdout


if __name__ == "__main__":
    sys.exit(main())
