"""Benchmarks of the parts, most of them in alternation with peers in one run: `python -m experiments.benchmark ot`.

Every part is a stage in the workdir and is not measured again while it lies there. Delete its folder to repeat it.
`--pages experiments/results` writes a page a part, with command, commit, date and machine above the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments import pages
from experiments.benchmarks import decoders, scorers, transport
from gotd_jax import devices
from gotd_jax.artifacts import made_with

BENCHMARKS = {"ot": transport.run, "decoders": decoders.run, "scorers": scorers.run}


def main() -> None:
    """Runs the benchmark that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("--workdir", type=Path, default=Path("runs/benchmark"))
    parser.add_argument("--parts", nargs="*", help="of the benchmark; all by default")
    parser.add_argument("--small", action="store_true", help="a hundredth of the sizes: to see that it works")
    parser.add_argument("--pages", type=Path, help="a folder for a page of each part")
    arguments = parser.parse_args()
    devices.prepare()
    for folder in BENCHMARKS[arguments.benchmark](arguments.workdir, arguments.parts, small=arguments.small):
        print(f"{folder}/table.md")
        if arguments.pages:
            pages.write(
                arguments.pages / f"{folder.name}.md",
                (folder / "table.md").read_text(),
                made=list(made_with(folder).values())[-1],
            )


if __name__ == "__main__":
    main()
