"""The rule and its mends: from which source each way to choose takes its texts, on a messy pool.

    python -m experiments.main --config=configs/ablate_rule.py

A pool of fourteen sources, texts of any length up to 400 characters as they come. Four targets are texts of one source each,
which is rare in the pool: summaries of news (among articles of two news sources), political speeches, answers about personal
finance, and clinical cases (among abstracts of medicine). By 150 texts 100 are chosen, and judged by 150 others: the share of
the chosen that comes from the target's own source, the divergence of pool and selection from the target, and how the selection
covers it (gotd_jax/evaluation/README.md). Nothing is trained.

Lines are those of `evidence.py` that need no model to be trained, and two of a larger epsilon; the tool's default is
`debiased`. Texts are drawn once and embedded once; a seed draws nine in ten of them, the target and what it is judged on.

Expect (experiments/results/ablate_rule.md): of the tool's default 76 % of the speeches, 86 % of finance, 98 % of the clinical
cases and 13 % of the summaries, where the published rule has 38, 70, 99 and 1, and a classifier 64, 63, 99 and 70.

Cost: a quarter of an hour on two cores, most of it embedding, once as the model makes the vectors and once of length one.
"""

from configs import common, evidence

SOURCES = {
    "world_news": 2_500,
    "wikipedia": 2_000,
    "encyclopedia": 2_000,
    "reviews": 1_200,
    "documentation": 1_200,
    "news": 900,
    "biographies": 900,
    "biomedical": 900,
    "law": 800,
    "recipes": 500,
    "clinical": 900,
    "summaries": 620,
    "speeches": 520,
    "finance": 510,
}
TARGETS = ("summaries", "speeches", "finance", "clinical")
HELD_OUT = 150  # texts of the source to choose by, and as many to judge by
TRAINED = ("none", "oracle", "placebo", "true reference", "guessed reference")
LINES = {line: fields for line, fields in evidence.LINES.items() if line not in TRAINED} | {
    "debiased, 20 %": evidence.LINES["debiased"] | {"ot.epsilon": 0.2},
    "debiased, raw, 20 %": evidence.LINES["debiased, raw"] | {"ot.epsilon": 0.2},
}


def get_config(variant: str = ""):
    """Returns the config of the ablation."""
    return common.variant("ablate_rule", variant, {"": judged})


def judged():
    """Returns the config of all lines and targets, three seeds."""
    config = common.get_config()
    config.evaluation = "selection"
    config.pool.packaged = tuple(SOURCES)
    config.pool.per_domain = dict(SOURCES)
    config.pool.seed = 0
    config.pool.share = 0.9
    config.pool.characters = 400
    config.pool.short = "keep"
    config.pool.long = "cut"  # a text is a chunk, so that none lies on both sides
    config.target.most = HELD_OUT
    config.target.short = "keep"
    config.selection.held_out = HELD_OUT
    config.selection.exact = 2_000
    config.embed.model = "all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.ot.epsilon = 0.05
    config.budget = 100
    config.sweep = common.sweep(seed=(0, 1, 2), task=TARGETS, line=tuple(LINES))
    config.figure = ("heatmap", "line", "task")
    config.where = (
        *(("line", line, field, value) for line, fields in LINES.items() for field, value in fields.items()),
        *(("task", task, field, (task,)) for task in TARGETS for field in ("target.domains", "task.home")),
    )
    return config
