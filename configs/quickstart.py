"""The quick start: what selecting text buys a small model on a small task, in minutes, on a laptop.

    python -m experiments.main --config=configs/quickstart.py

Model and encoder: all-MiniLM-L6-v2 (22.7 M parameters). Pool: passages of six domains out of published packages. Task:
the sentiment of Rotten Tomatoes' sentences, a few hundred labels. Methods: none, random, dsir, tapt_c, got_d; two seeds.
"""

from configs import common


def get_config():
    """Returns the config of the quick start."""
    config = common.get_config()
    config.pool.packaged = ("wikipedia", "reviews", "news", "biomedical", "law", "biographies")
    config.pool.characters = 300
    config.pool.per_domain = 1_700
    config.budget = 500
    config.task.name = "rotten_tomatoes"
    config.task.labels = 500
    config.embed.model = "all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.model = "all-MiniLM-L6-v2"
    config.head.chunks = 1_000
    config.pre_finetune.learning_rate = 1e-4
    config.pre_finetune.batch_size = 16
    config.pre_finetune.max_length = 128
    config.finetune.learning_rate = 1e-4
    config.finetune.batch_size = 32
    config.finetune.max_length = 64
    config.sweep.method = ("none", "random", "dsir", "tapt_c", "got_d")
    config.sweep.seed = (0, 1)
    return config
