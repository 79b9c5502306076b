"""Measures commands and makes tables of what was measured, for the scripts beside this file.

    figures.py step RECORDS NAME COMMAND…   one record: the seconds a step that COMMAND's JSON tells
    figures.py whole RECORDS NAME COMMAND…  one record: the seconds from COMMAND's start to its end
    figures.py table RECORDS                a row a name, and the first one's medians over each row's
    figures.py busy RECORDS                 of names "BUILD, WHERE, quiet" and "…, busy": each beside its ideal

RECORDS is a file that grows by a line of JSON a record. Peak memory is that of the whole process, as
the system counts it. A command that fails is told in one sentence, exit code 1.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time


def main(what, path, *command):
    if what in ("step", "whole"):
        record = measure(what, *command)
        with open(path, "a") as records:
            print(json.dumps(record), file=records)
        print(f"{record['name']:34}{record['seconds']:9.4f} s{record['mib']:8.0f} MiB  {record['isa']}".rstrip(), flush=True)
    else:
        {"table": table, "busy": busy}[what](grouped(path))


def measure(what, name, *command):
    """A record of one run of command."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        seconds, usage, code = finish(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err), begin)
        if code != 0:
            end = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
            sys.exit(f"{name}: {os.path.basename(command[0])} {end}. {last_line(err) or last_line(out)}")
        said = {}
        if what == "step":
            out.seek(0)
            said = json.load(out)
            seconds = said["step_seconds"]
    device = said.get("device")
    device = device if isinstance(device, dict) else said  # PyTorch's script has no more than a name there
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "name": name, "seconds": seconds, "mib": usage.ru_maxrss * unit / 2**20,
        "isa": device.get("isa") or device.get("capability") or "", "threads": device.get("threads"),
    }


def finish(process, begin):
    """Waits for process: seconds since begin, resources used, exit code. A signal ends both."""
    def stop(number, _):
        process.kill()
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    return seconds, usage, process.returncode


def last_line(file):
    file.seek(0)
    lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def grouped(path):
    """The records of each name, names in the order in which they were first measured."""
    groups = {}
    with open(path) as records:
        for record in map(json.loads, records):
            groups.setdefault(record["name"], []).append(record)
    return groups


def median(records, key):
    return statistics.median(r[key] for r in records)


def table(groups):
    ours = next(iter(groups.values()))
    isa = "  instructions" if ours[0]["isa"] else ""
    print(f"\n{'':22}{'min':>9}{'median':>9}{'max':>9}{'jem / it':>10}{'MiB':>8}{'jem / it':>10}{isa}")
    for name, records in groups.items():
        times = [r["seconds"] for r in records]
        print(f"{name:22}{min(times):9.3f}{statistics.median(times):9.3f}{max(times):9.3f}"
              f"{median(ours, 'seconds') / median(records, 'seconds'):10.2f}"
              f"{median(records, 'mib'):8.0f}{median(ours, 'mib') / median(records, 'mib'):10.2f}  {records[0]['isa']}".rstrip())


def busy(groups):
    """One row for each build and place. The ideal: of the core that spins the program has half, if it
    has a thread for it, and the other cores to itself; the work takes as much longer as that is less."""
    print(f"\n{'':34}{'quiet':>9}{'busy':>9}{'ideal':>9}{'busy / ideal':>14}")
    for name, quiet in groups.items():
        if not name.endswith(", quiet"):
            continue
        row = name.removesuffix(", quiet")
        cores = 1 if "taskset" in row else len(os.sched_getaffinity(0))
        threads = quiet[0]["threads"]
        alone, now = median(quiet, "seconds"), median(groups[row + ", busy"], "seconds")
        ideal = alone * min(threads, cores) / min(threads, cores - 0.5)
        print(f"{row:34}{alone:9.3f}{now:9.3f}{ideal:9.3f}{now / ideal:14.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
