#!/usr/bin/env python3
"""Plants each bug of mutants.py alone and shows that the simulation catches it.

    tests/mutants/run.py                 # all of them, in build/mutants
    tests/mutants/run.py --only fork     # those whose description has the word
    tests/mutants/run.py --check         # only that each still fits the sources

A mutant that the simulation does not notice, or that does not compile, fails the run.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
COPIED = ["CMakeLists.txt", "CMakePresets.json", "cmake", "src", "tests", "benchmarks"]
# More than any of them needed; the sum of all mutants decides how long this takes.
SEEDS = "5000"
TIMEOUT_S = 300


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="mutants whose description has this in it")
    parser.add_argument("--check", action="store_true", help="only check that each mutant fits the sources")
    return parser.parse_args()


def misfits():
    """What no longer fits: a change must find its place exactly once."""
    for mutant in MUTANTS:
        count = (ROOT / mutant.file).read_text().count(mutant.before)
        if count != 1:
            yield f"{mutant.what}: its place occurs {count} times in {mutant.file}"


def copy_tree():
    """The sources in a folder of their own; what has not changed keeps its time, so that little is built again."""
    for name in COPIED:
        source = ROOT / name
        if not source.exists():
            continue
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            copy_if_other(source, target)
            continue
        wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
        for path in wanted:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            copy_if_other(source / path, target / path)
        for path in list(target.rglob("*")):
            if path.is_file() and path.relative_to(target) not in wanted:
                path.unlink()


def copy_if_other(source, target):
    if not target.exists() or source.read_bytes() != target.read_bytes():
        shutil.copyfile(source, target)


def build():
    """None if it was built, else what the compiler said."""
    built = subprocess.run(["cmake", "--build", str(WORK / "build"), "--target", "simulate_test"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if built.returncode == 0 else built.stdout


def configure():
    subprocess.run(["cmake", "-S", str(TREE), "-B", str(WORK / "build"), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
                    "-DCMAKE_CXX_FLAGS=-O1", "-DQUIRE_TESTS=ON", "-DQUIRE_LENIENT=ON",
                    f"-DQUIRE_XGRAMMAR={ROOT / '.cache' / 'xgrammar'}"], stdout=subprocess.DEVNULL, check=True)


def simulate():
    """The seed or reason by which the simulation notices a bug; None if it finds none."""
    environment = {**os.environ, "QUIRE_SEEDS": SEEDS}
    environment.pop("QUIRE_LONG", None)
    try:
        run = subprocess.run([str(WORK / "build" / "simulate_test"), "--gtest_filter=Simulation.EveryRequest*"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                             env=environment, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"no end within {TIMEOUT_S} s"
    if run.returncode == 0:
        return None
    seed = re.search(r"QUIRE_SEED=(\d+)[^\n]*", run.stdout)
    return seed.group(0)[:100] if seed else f"exit {run.returncode}: {run.stdout.strip().splitlines()[-1][:80]}"


def plant(mutant):
    """The reason by which the mutant was caught, or the complaint that it was not; and whether it was."""
    path = TREE / mutant.file
    original = path.read_text()
    path.write_text(original.replace(mutant.before, mutant.after))
    try:
        broken = build()
        if broken:
            return False, "does not compile:\n" + broken[-2000:]
        caught = simulate()
        return bool(caught), caught or "NOT CAUGHT"
    finally:
        path.write_text(original)


def main():
    arguments = parse_arguments()
    if complaints := list(misfits()):
        sys.exit("\n".join(complaints))
    if arguments.check:
        return
    chosen = [mutant for mutant in MUTANTS if arguments.only in mutant.what]
    copy_tree()
    configure()
    print("building the simulation as it is", flush=True)
    if broken := build():
        sys.exit(broken)
    if reason := simulate():
        sys.exit(f"the simulation fails without any mutant: {reason}")
    num_missed = 0
    for number, mutant in enumerate(chosen, 1):
        start = time.monotonic()
        caught, reason = plant(mutant)
        num_missed += not caught
        print(f"{number:2}/{len(chosen)}  {mutant.what}: {reason}  ({time.monotonic() - start:.0f} s)", flush=True)
    if num_missed:
        sys.exit(f"{num_missed} of {len(chosen)} mutants were not caught")
    print(f"all {len(chosen)} mutants were caught")


if __name__ == "__main__":
    main()
