"""Labels saved: the paper's Figure 1. How many labels a second stage needs, after how much of the first.

    python -m experiments.main --config=configs/figure1.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/figure1.py:small

A heat map of CoLA's Matthews correlation: labelled examples down, chunks selected by GOT-D across, and 0 chunks for fine-tuning
alone. The paper draws points of equal performance in this plane: 5K labels with 50K chunks, 8K with 30K, 10K with 10K (read off
its picture). Read ours along a colour too. CoLA has 8,551 sentences to train on, so the paper's 9K, 10K and 11K are one
point, and the last line here.

The pool and the two domains of it that lie closest to the task are configs/glue.py's.

Cost: full, 5 x 6 cells x 3 seeds of pre-fine-tuning on up to 50,000 chunks: a day on one modern GPU, not run by us. Small:
18 cells, 44 minutes of processor time on 2 cores.
"""

from configs import common, quickstart


def get_config(variant: str = ""):
    """Returns the config of the figure, or of another `variant`."""
    config = common.variant("figure1", variant, {"": figure_1, "small": small})
    config.keep_models = False
    config.figure = ("heatmap", "labels", "budget")
    return config


def figure_1():
    """Returns the config of the figure: CoLA on bert-base-uncased, to 8,551 labels and 50,000 chunks."""
    config = common.get_config()
    common.at_full_size(config)
    common.seven_domains(config)
    config.task.name = "CoLA"
    config.sweep = common.sweep(
        method=("none", "got_d"),
        labels=(5_000, 6_000, 7_000, 8_000, 8_551),
        budget=(10_000, 20_000, 30_000, 40_000, 50_000),
        seed=(0, 1, 2),
    )
    config.protocol = (common.FETCHED_ALONE, common.DRAWN_DOMAINS)
    return config


def small():
    """Returns the config of the figure for the quick start's task, model and pool, to 256 labels and 128 chunks."""
    config = quickstart.setting()
    config.sweep = common.sweep(method=("none", "got_d"), labels=(64, 128, 256), budget=(32, 128), seed=(0, 1))
    return config
