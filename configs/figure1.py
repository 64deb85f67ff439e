"""Labels saved: the paper's Figure 1. How many labels a second stage needs, after how much of the first.

    python -m experiments.main --config=configs/figure1.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/figure1.py:small

A heat map of CoLA's Matthews correlation: labelled examples down, chunks selected by GOT-D across, and 0 chunks for fine-tuning
alone. The paper draws points of equal performance in this plane: 5K labels with 50K chunks, 8K with 30K, 10K with 10K (read off
its picture). Read ours likewise, along a colour. CoLA has 8,551 sentences to train on, so the paper's 9K, 10K and 11K are one
point, and the last line here.

Arguments, after a colon: nothing is CoLA on bert-base-uncased, `small` the quick start's task, model and pool.

The pool and the two domains of it that lie closest to the task are configs/glue.py's.

Cost: full, 5 x 6 cells x 3 seeds of pre-fine-tuning on up to 50,000 chunks: a day on one modern GPU, not run by us. Small:
18 cells, 44 minutes of processor time on 2 cores.
"""

from configs import common


def get_config(variant: str = ""):
    """Returns the config of the figure, or of the `variant` named in the module's docstring."""
    if variant not in ("", "small"):
        raise ValueError(f"configs/figure1.py has no variant {variant!r}. It has: small, or none at all.")
    config = _small() if variant == "small" else _full()
    config.keep_models = False
    config.sweep.method = ("none", "got_d")
    config.sweep.labels = (64, 128, 256) if variant == "small" else (5_000, 6_000, 7_000, 8_000, 8_551)
    config.sweep.budget = (32, 128) if variant == "small" else (10_000, 20_000, 30_000, 40_000, 50_000)
    config.sweep.seed = (0, 1) if variant == "small" else (0, 1, 2)
    config.figure = ("heatmap", "labels", "budget")
    return config


def _full():
    config = common.get_config()
    common.seven_domains(config)
    common.at_full_size(config)
    config.protocol = (common.FETCHED_ALONE, common.DRAWN_DOMAINS)
    return config


def _small():
    from configs import quickstart

    return quickstart.get_config()
