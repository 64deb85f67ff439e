"""What selecting costs: seconds of each stage by method and size of the pool (App. C.3).

    python -m experiments.main --config=configs/runtime.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/runtime.py:small

Nothing is trained. The seconds are those of the stages when they were made: a workdir with embeddings in it shows what they
took then. Embedding is shared by all methods that embed, and counted for each.

The paper's (one A100): fine-tuning DistilBERT 1 to 5 minutes, embedding 2 million chunks an hour, the transport problem 1 to
5 minutes; DSIR on 20 million chunks and 64 cores 4.7 hours. So it timed GOT-D on a tenth of what it timed DSIR on; here both
have the same pool.

Arguments, after a colon: nothing is CoLA and 125,000 to a million chunks of each domain, of which the two closest are chosen
from, `small` 150 and 600 of each of the packaged pool's.

Cost: small, 12 minutes on two cores beside other work, half of it the losses of `loss_difference`; full, not run by us.
"""

from configs import common


def get_config(variant: str = ""):
    """Returns the config of the timing, or of the `variant` named in the module's docstring."""
    if variant not in ("", "small"):
        raise ValueError(f"configs/runtime.py has no variant {variant!r}. It has: small, or none at all.")
    config = _small() if variant == "small" else _full()
    config.evaluation = "selection"
    config.sweep.per_domain = (150, 600) if variant == "small" else (125_000, 500_000, 1_000_000)
    config.sweep.method = ("random", "dsir", "tapt_c", "rds_plus", "top_cosine", "tsds", "crisp", "loss_difference", "got_d")
    config.sweep.seed = (0,)
    config.figure = ("seconds", "per_domain")
    return config


def _full():
    config = common.get_config()
    common.seven_domains(config)
    common.at_full_size(config)
    config.pool.relevance.chunks = None  # all of the two domains: 250,000 to 2 million
    config.protocol = (common.FETCHED_ALONE, common.DRAWN_DOMAINS, common.CLOSEST_DOMAINS)
    return config


def _small():
    from configs import quickstart

    config = quickstart.get_config()
    config.task.home = ("reviews",)
    return config
