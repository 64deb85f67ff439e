"""How much to select: methods by budget, as heat maps.

    python -m experiments.main --config=configs/ablate_budget.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/ablate_budget.py:selection --config.data_dir=/data/glue
    python -m experiments.main --config=configs/ablate_budget.py:small

The paper selects 20,000 to 150,000 chunks, says that more "will no longer provide any benefits", and shows two budgets a
task. Here every budget has every method, and GOT-D at two epsilons: what blurs the ranking matters at small budgets and not
at large ones, where most of what is near is taken in any case.

Arguments, after a colon: nothing is CoLA at Table 4's size and from its pool, with the score after fine-tuning; `selection`
trains nothing and
measures the selections alone (see configs/ablate_epsilon.py); `small` is this for a packaged task and 4,800 packaged
passages, a sixth of them from the task's own domain, which the largest budgets exceed; `small_scores` is a few of its cells
with the score after fine-tuning.

Cost: full, 5 methods, one at 2 epsilons, x 6 budgets x 3 seeds of pre-fine-tuning on up to 150,000 chunks: days on one modern
GPU, not run by us. Small: 35 cells, 5 minutes on two cores.
"""

from configs import ablate_epsilon, common


def get_config(variant: str = ""):
    """Returns the config of the ablation, or of the `variant` named in the module's docstring."""
    config = common.get_config()
    common.seven_domains(config)
    common.at_full_size(config)
    config.protocol = (
        common.FETCHED_ALONE,
        common.DRAWN_DOMAINS,
        common.CLOSEST_DOMAINS,
        common.OWN_FILTER,
        common.NOT_VAMPIRE,
    )
    config.task.name = "CoLA"
    config.task.labels = 5_000
    config.keep_models = False
    config.sweep.method = ("none", "random", "dsir", "tapt_c", "got_d")
    config.sweep.epsilon = (0.01, 0.1)
    config.sweep.budget = (5_000, 10_000, 20_000, 50_000, 100_000, 150_000)
    config.sweep.seed = (0, 1, 2)
    config.figure = ("heatmap", "epsilon", "budget")
    if variant == "selection":
        _measure(config)
    elif variant == "small":
        ablate_epsilon.small(config)
        _measure(config)
        config.pool.per_domain = 800
        config.sweep.budget = (25, 50, 100, 200, 400, 800, 1_600)
    elif variant == "small_scores":
        ablate_epsilon.small(config)
        config.sweep.method = ("random", "got_d")
        config.sweep.epsilon = (0.01,)
        config.sweep.budget = (50, 200, 800)
    elif variant:
        raise ValueError(
            f"configs/ablate_budget.py has no variant {variant!r}. It has: selection, small, small_scores, or none at all."
        )
    return config


def _measure(config) -> None:
    config.evaluation = "selection"
    config.sweep.method = ("random", "dsir", "tapt_c", "got_d")
    config.sweep.seed = (0,)
