"""Is choosing worth anything? A base model whose pre-training data is known, and the loss that each choice leaves it with.

    python -m experiments.main --config=configs/evidence.py:pilot
    python -m experiments.main --config=configs/evidence.py

In progress.
"""

from configs import common

MIXTURE = {"reviews": 0.5, "world_news": 0.2, "documentation": 0.19, "wikipedia": 0.1, "speeches": 0.01}
CHUNKS = {  # of each domain in the pool, of which each replicate draws three in four
    "reviews": 3_500,
    "world_news": 2_500,
    "documentation": 2_500,
    "wikipedia": 1_500,
    "speeches": 1_600,
    "law": 1_000,
    "scripture": 1_000,
    "recipes": 800,
    "biographies": 900,
    "encyclopedia": 1_200,
    "definitions": 330,
}


def base():
    """Returns the config of the base model alone."""
    config = common.get_config()
    config.evaluation = "loss"
    config.pool.packaged = tuple(CHUNKS)
    config.pool.per_domain = dict(CHUNKS)
    config.pool.seed = 0
    config.pool.share = 0.75
    config.pool.characters = 400
    config.pool.short = "keep"
    config.pool.documents = (0.5, 0.75)
    config.target.documents = (0.75, 0.82)
    config.target.most = 400
    config.loss.documents = (0.82, 1.0)
    config.loss.target = 1_400
    config.loss.pre_training = 400
    config.base.mixture = MIXTURE
    config.base.characters = 30_000_000
    config.base.documents = (0.0, 0.5)
    config.base.recipe.epochs = 2
    config.base.recipe.dropout = False
    return config


def get_config(variant: str = ""):
    """Returns the config."""
    return base()
