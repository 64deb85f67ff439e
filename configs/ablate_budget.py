"""How much to select: methods by budget, as heat maps.

    python -m experiments.main --config=configs/ablate_budget.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/ablate_budget.py:selection --config.data_dir=/data/glue
    python -m experiments.main --config=configs/ablate_budget.py:small

The paper selects 20,000 to 150,000 chunks, says that more "will no longer provide any benefits", and shows two budgets a
task. Here every budget has every method, and GOT-D at two epsilons: a blurred ranking matters at small budgets and not
at large ones, where most near text is taken in any case.

Variants are the functions below. `:selection` and `:small` train nothing and measure the selections alone, as those of
configs/ablate_epsilon.py do. The small pool has 4,800 passages, a sixth of them from the task's own domain, which the
largest budgets exceed.

Cost: full, 5 methods, one at 2 epsilons, x 6 budgets x 3 seeds of pre-fine-tuning on up to 150,000 chunks: days on one modern
GPU, not run by us. Small: 35 cells, 5 minutes on two cores.
"""

from configs import ablate_epsilon, common

METHODS = ("random", "dsir", "tapt_c", "got_d")
EPSILONS = (0.01, 0.1)


def get_config(variant: str = ""):
    """Returns the config of the ablation, or of another `variant`."""
    variants = {"": full, "selection": selection, "small": small, "small_scores": small_scores}
    config = common.variant("ablate_budget", variant, variants)
    config.figure = ("heatmap", "epsilon", "budget")
    return config


def full():
    """Returns the config of CoLA's scores at Table 4's size, by five methods and six budgets."""
    config = common.get_config()
    common.at_full_size(config)
    common.seven_domains(config)
    config.task.name = "CoLA"
    config.task.labels = 5_000
    config.keep_models = False
    config.sweep = common.sweep(
        method=("none", *METHODS),
        epsilon=EPSILONS,
        budget=(5_000, 10_000, 20_000, 50_000, 100_000, 150_000),
        seed=(0, 1, 2),
    )
    config.protocol = (
        common.FETCHED_ALONE,
        common.DRAWN_DOMAINS,
        common.CLOSEST_DOMAINS,
        common.OWN_FILTER,
        common.NOT_VAMPIRE,
    )
    return config


def selection():
    """Returns the config of `full` with the selections measured, and no model trained."""
    config = full()
    config.evaluation = "selection"
    config.sweep.method = METHODS
    config.sweep.seed = (0,)
    return config


def small():
    """Returns the config of the selections from the quick start's pool, halved, measured by four methods and seven budgets."""
    config = ablate_epsilon.quick()
    config.evaluation = "selection"
    config.pool.per_domain = 800
    config.sweep = common.sweep(method=METHODS, epsilon=EPSILONS, budget=(25, 50, 100, 200, 400, 800, 1_600), seed=(0,))
    return config


def small_scores():
    """Returns the config of the scores after a few of the small selections, from the whole of the quick start's pool."""
    config = ablate_epsilon.quick()
    config.sweep = common.sweep(method=("random", "got_d"), epsilon=(0.01,), budget=(50, 200, 800), seed=(0,))
    return config
