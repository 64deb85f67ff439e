"""The quick start: what selecting text teaches a small model about a small task's text, in five minutes, on a laptop.

    python -m experiments.main --config=configs/quickstart.py

Model and encoder are all-MiniLM-L6-v2 (22.7 M parameters, no masked-LM head: one is trained first). The pool is 3,600
passages of 200 characters, 600 of each of six domains; the task is the sentiment of sentences about films (Rotten Tomatoes).
128 passages are selected and read; then the model's loss on sentences that are tested on is taken, before any label is read,
and a linear probe of its frozen states learns from 128 labels. Five methods, three seeds.

Expect the loss after text that was chosen for the task to be lower than after random text, and accuracies that follow the
labels drawn and hardly the method: a loss tells in minutes what so few labels do not.
"""

from configs import common

DRAWN_ONCE = "The pool is drawn once for all seeds, so that it is embedded once; labels, order and heads by each seed."


def get_config():
    """Returns the config of the quick start."""
    config = setting()
    config.pool.per_domain = 600
    config.task.tested = 300
    config.task.home = ("reviews",)
    config.probe = True
    config.keep_models = False
    config.sweep = common.sweep(method=("none", "random", "dsir", "rds_plus", "got_d"), seed=(0, 1, 2))
    return config


def setting():
    """Returns the task, models and pool that the quick start and the small runs share, without a sweep."""
    config = common.get_config()
    config.pool.packaged = ("wikipedia", "reviews", "news", "biomedical", "law", "biographies")
    config.pool.characters = 200
    config.pool.per_domain = 1_670
    config.pool.seed = 0
    config.budget = 128
    config.task.name = "rotten_tomatoes"
    config.task.labels = 128
    config.embed.model = config.model = "all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.head.chunks = 256
    config.head.recipe.batch_size = 16
    for recipe in (config.pre_finetune, config.target_model):
        recipe.learning_rate = 1e-4
        recipe.batch_size = 16
        recipe.max_length = 128
    config.finetune.learning_rate = 1e-4
    config.finetune.batch_size = 32
    config.finetune.max_length = 40
    for recipe in (config.head.recipe, config.pre_finetune, config.target_model, config.finetune):
        recipe.dropout = False  # a quarter of a step on a CPU, and too few steps to overfit
    config.protocol = (DRAWN_ONCE,)
    return config
