"""Runs a config, cell by cell, and prints its table.

    python -m experiments.main --config=configs/quickstart.py
    python -m experiments.main --config=configs/glue.py:small --config.data_dir=/data/glue --config.budget=1000

Every field of `configs/common.py` can be set so. Several processes, on machines that share a folder, each take a share:

    python -m experiments.main --config=configs/glue.py --workdir=/shared/glue --shard=1/4
"""

import sys
from pathlib import Path

from absl import app, flags, logging
from ml_collections import config_flags

from experiments import config_fields, pages, running
from experiments.cell_data import Shared
from experiments.sweep import cells_of
from gotd_jax import devices, terminal
from gotd_jax.report import results

CONFIG = config_flags.DEFINE_config_file("config", lock_config=False, accept_new_attributes=True)
SHARD = flags.DEFINE_string("shard", "1/1", "Which share of the cells this process runs: 2/4 is the second of four.")
WORKDIR = flags.DEFINE_string("workdir", None, "Where everything is kept; runs/<config> by default.")
ROWS = flags.DEFINE_string("rows", None, "Rows of an earlier run (its results.jsonl), whose cells are not run again.")
PAGE = flags.DEFINE_string("page", None, "A file for the printed table, with command, commit, date and machine.")


def main(_) -> None:
    """Runs every combination of `config.sweep`; stages that lie in the workdir are not made again."""
    logging.set_verbosity(logging.WARNING)
    workdir = Path(WORKDIR.value or Path("runs", name_of(config_flags.get_config_filename(flags.FLAGS["config"]))))
    with terminal.door("\n"):
        devices.prepare()
        cells, shared = list(cells_of(CONFIG.value)), Shared()
        running.share(cells, SHARD.value)
        running.check(CONFIG.value, cells, workdir, shared)
        earlier = results.read(ROWS.value) if ROWS.value else ()
        rows = running.run(cells, workdir, shared, shard=SHARD.value, earlier=earlier)
        printed = pages.printed(rows, CONFIG.value, workdir)
        terminal.say(f"\n{printed}\n")
        if PAGE.value:
            pages.write(PAGE.value, f"```text\n{printed}\n```\n", made=rows[-1])
        kept = "table.md, .csv and .tex, statistics.csv, results.jsonl; chosen texts: selections/*/selected.jsonl"
        terminal.say(f"In {workdir}: {kept}.")


def name_of(filename: str) -> str:
    """Returns the name of the workdir of a config file: `glue-small` for `configs/glue.py:small`."""
    path, _, variant = filename.partition(":")
    return Path(path).stem + (f"-{variant}" if variant else "")


if __name__ == "__main__":
    config_fields.check_overrides(sys.argv)
    app.run(main)
