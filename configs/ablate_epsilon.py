"""How much to regularise: epsilon by budget, as heat maps. The paper's setting is one line of them.

    python -m experiments.main --config=configs/ablate_epsilon.py --config.data_dir=/data/glue \\
        --config.pool.domains.wikipedia='/data/wikipedia/*.jsonl.zst'
    python -m experiments.main --config=configs/ablate_epsilon.py:selection --config.data_dir=/data/glue
    python -m experiments.main --config=configs/ablate_epsilon.py:small

The paper's epsilon is 0.1 of nothing: absolute, on squared distances as they come, so that it means another thing for every
encoder ("parameters for these two techniques need to be tuned together", say its notebooks of epsilon and momentum). The line
`published` is the notebook's call whole, sides, threshold and momentum too; all others are shares of the mean cost.

Variants are the functions below. `:selection` and `:small` train nothing and measure the selections alone: how much of the
exact selection (unregularised duals) they hold, how far the exact transport cost from 0.8 pool + 0.2 selection to held-out text
of the task falls, how well the solve converged, in how many passes and seconds; and, since that cost prefers texts in the
middle as the rule itself does, what the judges say that no method follows (gotd_jax/evaluation/README.md).

Cost: full, 8 epsilons x 4 budgets x 3 seeds of pre-fine-tuning on up to 150,000 chunks: days on one modern GPU, not run by us.
Small: 11 minutes on two cores in use besides, 5 of them embedding; `small_scores` was not run whole.

Expect (small, 200 of 10,020 selected for 443 chunks of film reviews; of the exact selection, held-out cost in % of the pool's,
from the reviews; one run):

    epsilon      0.002  0.005   0.01   0.02   0.05    0.1    0.2  random   dsir  tapt_c
    exact, %      98.5   98.0   97.0   90.0   71.5   65.0   62.5     2.5   18.5    50.5
    held out     90.68  90.68  90.67  90.61  90.56  90.57  90.66  100.39  93.97   91.79
    reviews, %    99.0   99.0   99.5   99.0   97.0   94.0   92.0    12.0   85.5    96.0

so that a blurred ranking costs little: a twentieth of the mean cost is the best on held-out text at all four budgets, at
the largest level with 0.02. The line `published`, since it is the notebook's own call, has not been run at this size.
"""

from configs import common, quickstart

EPSILONS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
BUDGETS = (20_000, 50_000, 100_000, 150_000)  # the range that App. C.1.2 discusses


def get_config(variant: str = ""):
    """Returns the config of the ablation, or of another `variant`."""
    variants = {"": full, "selection": selection, "small": small, "small_scores": small_scores}
    config = common.variant("ablate_epsilon", variant, variants)
    config.figure = ("heatmap", "epsilon", "budget")
    return config


def full():
    """Returns the config of CoLA's scores at Table 4's size, by eight epsilons and four budgets."""
    config = common.get_config()
    common.at_full_size(config)
    common.seven_domains(config)
    config.ot.solver = None  # by size: many times faster, and epsilons below the paper's level are swept
    config.task.name = "CoLA"
    config.task.labels = 5_000
    config.keep_models = False
    config.sweep = common.sweep(method=("got_d",), epsilon=EPSILONS, budget=BUDGETS, seed=(0, 1, 2))
    config.with_published = True
    config.protocol = (common.FETCHED_ALONE, common.DRAWN_DOMAINS, common.CLOSEST_DOMAINS)
    return config


def selection():
    """Returns the config of `full` with the selections measured, and no model trained."""
    config = full()
    config.evaluation = "selection"
    config.sweep.seed = (0,)  # draws nothing but samples of a pool, and the whole is solved on
    return config


def small():
    """Returns the config of the selections from the quick start's pool measured, by eight epsilons and four budgets."""
    config = quick()
    config.evaluation = "selection"
    config.sweep = common.sweep(
        method=("random", "dsir", "tapt_c", "got_d"), epsilon=EPSILONS, budget=(50, 200, 800, 3_200), seed=(0,)
    )
    config.with_published = True
    return config


def small_scores():
    """Returns the config of the scores after four of the small selections."""
    config = quick()
    config.sweep = common.sweep(method=("got_d",), epsilon=(0.01, 0.2), budget=(50, 200), seed=(0,))
    return config


def quick():
    """Returns the config that the small ablations share: the quick start's pool, models and task, with 1,000 labels."""
    config = quickstart.setting()
    config.pool.seed = config.get_oneway_ref("seed")  # another draw for each seed
    config.task.labels = 1_000
    config.task.home = ("reviews",)
    config.target.most = 500
    config.selection.held_out = 300
    config.keep_models = False
    config.protocol = ()
    return config
