"""Performance against peers, measured in alternation in one run: `python -m experiments.benchmark ot` or `decoders`.

Every part is a stage in the workdir: what has been measured is not measured again. Delete its folder to repeat it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.benchmarks import decoders, transport
from gotd_jax import devices

BENCHMARKS = {"ot": transport.run, "decoders": decoders.run}


def main() -> None:
    """Runs the benchmark that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("--workdir", type=Path, default=Path("runs/benchmark"))
    parser.add_argument("--parts", nargs="*", help="of the benchmark; all by default")
    parser.add_argument("--small", action="store_true", help="a hundredth of the sizes: to see that it works")
    arguments = parser.parse_args()
    devices.prepare()
    BENCHMARKS[arguments.benchmark](arguments.workdir, arguments.parts, small=arguments.small)


if __name__ == "__main__":
    main()
