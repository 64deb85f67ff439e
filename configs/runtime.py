"""What selecting costs: seconds of each stage by method and size of the pool (App. C.3).

    python -m experiments.main --config=configs/runtime.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/runtime.py:small

Nothing is trained. The seconds are those of the stages when they were made: a workdir with embeddings in it shows what they
took then. Embedding is shared by all methods that embed, and counted for each.

The paper's (one A100): fine-tuning DistilBERT 1 to 5 minutes, embedding 2 million chunks an hour, the transport problem 1 to
5 minutes; DSIR on 20 million chunks and 64 cores 4.7 hours. So it timed GOT-D on a tenth of what it timed DSIR on; here both
have the same pool.

Cost: small, 12 minutes on two cores beside other work, half of it the losses of `loss_difference`; full, not run by us.
"""

from configs import common, quickstart

METHODS = ("random", "dsir", "tapt_c", "rds_plus", "top_cosine", "tsds", "crisp", "loss_difference", "got_d")


def get_config(variant: str = ""):
    """Returns the config of the timing, or of another `variant`."""
    config = common.variant("runtime", variant, {"": full, "small": small})
    config.evaluation = "selection"
    config.figure = ("seconds", "per_domain")
    return config


def full():
    """Returns the config of the timing of the paper's pool for CoLA: 250,000 chunks to 2 million."""
    config = common.get_config()
    common.at_full_size(config)
    common.seven_domains(config)
    config.pool.relevance.chunks = None  # all of the two domains
    config.task.name = "CoLA"
    config.sweep = common.sweep(per_domain=(125_000, 500_000, 1_000_000), method=METHODS, seed=(0,))
    config.protocol = (common.FETCHED_ALONE, common.DRAWN_DOMAINS, common.CLOSEST_DOMAINS)
    return config


def small():
    """Returns the config of the timing of the packaged pool for film reviews: 900 chunks and 3,600."""
    config = quickstart.setting()
    config.task.home = ("reviews",)
    config.sweep = common.sweep(per_domain=(150, 600), method=METHODS, seed=(0,))
    return config
