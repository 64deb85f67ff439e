"""The quick start: what selecting text buys a small model on a small task, in minutes, on a laptop.

    python -m experiments.main --config=configs/quickstart.py

Model and encoder are all-MiniLM-L6-v2 (22.7 M parameters, no masked-LM head: one is trained first). The pool is 10,020
passages of 200 characters, 1,670 of each of six domains; the task is the sentiment of sentences about films (Rotten
Tomatoes), of which 128 have labels; 128 passages are selected. Five methods, two seeds.

Cost: 7 to 10 minutes on two cores without a GPU, most of it training and embedding. Expect `got_d` and `tapt_c` to take nine
passages in ten from the reviews (the task's own domain, a sixth of the pool), and accuracies of 53 to 63 that follow the labels
drawn, eight points apart, and hardly the method, reading nothing included: so few labels and passages show how the pipeline
works, and not what selection is worth.
"""

from configs import common


def get_config():
    """Returns the config of the quick start."""
    config = setting()
    config.pool.per_domain = 700
    config.task.tested = 300
    config.task.home = ("reviews",)
    config.keep_models = False
    config.sweep = common.sweep(method=("none", "random", "dsir", "rds_plus", "got_d"), seed=(0, 1, 2))
    config.protocol = (
        "The pool is drawn once for all seeds, so that it is embedded once; labels, order and heads by each seed.",
    )
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
    return config
