"""Is choosing worth anything? A model whose pre-training data is known, and the loss that each choice of text leaves it with.

    python -m experiments.main --config=configs/evidence.py:pilot
    python -m experiments.main --config=configs/evidence.py
    python -m experiments.main --config=configs/evidence.py --shard=1/4
    python -m experiments.main --config=configs/evidence.py:kin
    python -m experiments.main --config=configs/evidence.py:budgets
    python -m experiments.main --config=configs/evidence.py:rates
    python -m experiments.main --config=configs/evidence.py:rare_half
    python -m experiments.main --config=configs/evidence.py:encoder
    python -m experiments.main --config=configs/evidence.py:tasks
    python -m experiments.main --config=configs/evidence.py:fine_tuned
    python -m experiments.main --config=configs/evidence.py:minilm
    python -m experiments.main --config=configs/evidence.py:smollm2

A decoder of a million parameters is pre-trained here, from nothing, on 30 million characters of a skewed mixture: half reviews
of films, 1 % political speeches. The pool is a messy one of eleven domains, six of which the model has never read, one of them
JSON. Each line chooses 3 % of the pool's tokens, the model reads them once, and its loss is measured on documents of the target
that nothing else reads. Targets: `absent` from the mixture (summaries of lawsuits), `rare` in it (speeches), `common`
(reviews), `half` common and half absent (reviews and scripture), and `pool`, a negative control for which nothing can be better
than random.

`:kin` asks the same of a pool in which every target has its kin: answers about money, clinical cases beside abstracts of
medicine, news beside news of other sites, an encyclopedia beside Wikipedia and biographies; none of the four was read before.

`:budgets` asks it at 1, 3 and 10 %, and `:rates` at three learning rates and each line's best of them, chosen by the other
replicates.

`:rare_half` is the paper's Figure 3 by the loss of a model: a base pre-trained on 99 % reviews and 1 % speeches, a target of
both halves, and lines that take both, or the rare half alone, at equal tokens. The further training moves the model (tokens
times rate), the larger is the lambda of Lemma 1, which the paper's rule takes to zero.

`:encoder` begins with an encoder that is pre-trained here on the same mixture, by the loss of masked tokens; `:minilm` and
`:smollm2` with published models, of which nobody knows what they read: their gaps have no placebo, and fewer cells.

`:tasks` asks what a task has of it: the target is the text of two labelled tasks, the decoder's frozen states are probed with
16, 64 and 256 labels, twenty draws of each; `:fine_tuned` fine-tunes the encoder on the same two.

A replicate draws the pool, the target, the texts measured on and the order of training, and every sixth begins another base;
all lines share them. Its loss lies between that of a random selection (0 %) and that of the oracle, which takes the target's
own domains (100 %); a line is worth the share of this gap that it closes. Contrasts and the margin of equivalence stand below,
written before the run.

Two gates: more of the pre-training data (`placebo`) lowers the target's loss by less than .5 %, and the oracle lies ten paired
deviations below random. A run that does not pass them after its first four replicates stops.

Variants are the functions below.
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
TARGETS = {"absent": ("law",), "rare": ("speeches",), "common": ("reviews",), "half": ("reviews", "scripture")}
KIN_CHUNKS = {
    "reviews": 1_800,
    "world_news": 2_200,
    "documentation": 1_300,
    "wikipedia": 1_800,
    "biographies": 1_000,
    "biomedical": 900,
    "law": 800,
    "recipes": 500,
    "encyclopedia": 700,
    "news": 600,
    "clinical": 450,
    "finance": 380,
    "speeches": 200,
}
KIN = {name: (name,) for name in ("finance", "clinical", "news", "encyclopedia")}
TASKS = {"rotten_tomatoes": ("reviews",), "bbc_topics": ("world_news",)}  # and the domains that are of their kind
CONTROL = "pool"
REPLICATES_PER_BASE = 6
BUDGET = 36_000  # tokens, 3 % of the pool's
UNIT = {"embed.normalise": "unit"}
LINES = {  # the fields that differ, by line
    "none": {"method": "none"},
    "random": {"method": "random"},
    "oracle": {"method": "mixture"},
    "placebo": {"method": "mixture", "mixture.shares": ",".join(f"{name}={share}" for name, share in MIXTURE.items())},
    "dsir": {"method": "dsir"},
    "rds_plus": {"method": "rds_plus"},
    "classifier": UNIT | {"method": "classifier"},
    "csls": {"method": "csls"},
    "got_d": {"ot.epsilon": 0.01},
    "got_d, 5 %": {},
    "unit": UNIT,
    "debiased": UNIT | {"got_d.debias": 2_000},
    "debiased, raw": {"got_d.debias": 2_000},
    "share .3": UNIT | {"got_d.share": 0.3},
    "trimmed": UNIT | {"got_d.debias": 2_000, "got_d.trim": 0.05},
    "true reference": UNIT | {"got_d.debias": 2_000, "base.reference": 2_000},
    "guessed reference": UNIT | {"got_d.debias": 2_000, "base.reference": 2_000, "base.reference_from": "pool"},
    "top_cosine": {"method": "top_cosine"},
    "tsds": {"method": "tsds"},
    "crisp": {"method": "crisp"},
}
MAIN = ("none", "random", "oracle", "placebo", "dsir", "rds_plus", "classifier", "csls", "got_d", "debiased")
HALVES = {  # lines of `rare_half` besides those above
    "rare half": {"method": "mixture", "mixture.shares": "speeches=1"},
    "common half": {"method": "mixture", "mixture.shares": "reviews=1"},
    "share .1": UNIT | {"got_d.share": 0.1},
    "share .6": UNIT | {"got_d.share": 0.6},
}
CONTRASTS = (
    ("debiased", "got_d"),
    ("debiased", "rds_plus"),
    ("debiased", "classifier"),
    ("debiased", "csls"),
    ("debiased", "dsir"),
    ("got_d", "random"),
    ("dsir", "random"),
)


def get_config(variant: str = ""):
    """Returns the config of the evidence, or of another `variant`."""
    variants = {"": evidence, "pilot": pilot, "kin": kin, "budgets": budgets, "rates": rates, "rare_half": rare_half}
    variants |= {"encoder": encoder, "tasks": tasks, "fine_tuned": fine_tuned, "minilm": minilm, "smollm2": smollm2}
    return common.variant("evidence", variant, variants)


def evidence():
    """Returns the config of all lines and targets at 3 %, twelve replicates."""
    config = _protocol(CHUNKS, TARGETS)
    config.sweep = common.sweep(seed=tuple(range(12)), task=(*TARGETS, CONTROL), line=tuple(LINES))
    return config


def pilot():
    """Returns the config of the two gates, and of three lines between floor and ceiling: the first four replicates."""
    config = _protocol(CHUNKS, TARGETS)
    lines = ("none", "random", "oracle", "placebo", "dsir", "got_d", "debiased")
    config.sweep = common.sweep(seed=(0, 1, 2, 3), task=tuple(TARGETS), line=lines)
    config.gap.contrasts = (("debiased", "got_d"), ("got_d", "random"), ("dsir", "random"))
    return config


def kin():
    """Returns the config of a pool in which every target has its kin: one base, six replicates, 15,000 tokens (1.5 %)."""
    config = _protocol(KIN_CHUNKS, KIN)
    config.budget = 15_000
    config.target.most = 140
    config.loss.target = 260  # as many as there are of finance; the smaller gaps of two others take more
    config.where += tuple(("task", task, "loss.target", 600) for task in ("news", "encyclopedia"))
    config.loss.pre_training = 200
    lines = (*MAIN[:-1], "got_d, 5 %", "unit", "debiased", "debiased, raw", "top_cosine")
    config.sweep = common.sweep(seed=tuple(range(REPLICATES_PER_BASE)), task=tuple(KIN), line=lines)
    config.gap.control = ()
    return config


def budgets():
    """Returns the config of the main lines at 1, 3 and 10 % of the pool's tokens: one base, six replicates."""
    config = _protocol(CHUNKS, TARGETS)
    found = {"seed": tuple(range(REPLICATES_PER_BASE)), "budget": (12_000, 36_000, 120_000)}
    config.sweep = common.sweep(**found, task=tuple(TARGETS), line=MAIN)
    config.gap.by, config.gap.pilot = ("budget",), None
    return config


def rates():
    """Returns the config of the main lines at three learning rates, 3 %, and each at its best: one base, six replicates."""
    config = _protocol(CHUNKS, TARGETS)
    found = {"seed": tuple(range(REPLICATES_PER_BASE)), "pre_finetune.learning_rate": (3e-5, 1e-4, 3e-4)}
    config.sweep = common.sweep(**found, task=tuple(TARGETS), line=MAIN)
    config.gap.by, config.gap.best, config.gap.pilot = ("pre_finetune.learning_rate",), True, None
    return config


def rare_half():
    """Returns the config of a base of 99 to 1 and a target of 50 to 50, by tokens and rate: one base, four replicates."""
    config = _protocol(CHUNKS, TARGETS)
    config.base.mixture = {"reviews": 0.99, "speeches": 0.01}
    config.base.characters, config.base.recipe.epochs = 16_000_000, 4  # as many reviews as there are, read as long
    lines = ("none", "random", "oracle", *HALVES, "got_d", "debiased", "share .3")
    dose = {"pre_finetune.learning_rate": (3e-5, 1e-4, 3e-4), "budget": (8_000, 24_000, 72_000)}
    config.sweep = common.sweep(seed=(0, 1, 2, 3), **dose, task=("halves",), line=lines)
    config.where += _target("halves", ("reviews", "speeches"))
    config.where += tuple(("line", line, field, value) for line, fields in HALVES.items() for field, value in fields.items())
    config.gap.by, config.gap.pilot, config.gap.control, config.gap.placebo = tuple(dose), None, (), ""
    config.gap.contrasts = (("rare half", "oracle"), ("share .3", "oracle"), ("got_d", "oracle"))
    return config


def encoder():
    """Returns the config of the main lines with an encoder for a base: six replicates."""
    config = _protocol(CHUNKS, TARGETS)
    config.base.sizes = {"kind": "encoder"}
    config.sweep = common.sweep(seed=tuple(range(REPLICATES_PER_BASE)), task=tuple(TARGETS), line=MAIN)
    return config


def tasks():
    """Returns the config of probes of the decoder on two tasks, 3 %: six replicates."""
    config = _protocol(CHUNKS, {})
    config.evaluation = "probes"
    config.sweep = common.sweep(seed=tuple(range(REPLICATES_PER_BASE)), task=tuple(TASKS), line=MAIN)
    config.where += tuple(("task", task, "task.home", home) for task, home in TASKS.items())
    config.gap.control = ()
    return config


def fine_tuned():
    """Returns the config of the encoder fine-tuned on two tasks of 500 labels, 3 %: six replicates."""
    config = tasks()
    config.evaluation = "finetune"
    config.base.sizes = {"kind": "encoder"}
    config.task.labels = 500
    config.finetune = common.recipe(learning_rate=3e-4, epochs=3, max_length=128, batch_size=16, weight_decay=0.0)
    config.gap.floor = config.gap.ceiling = config.gap.untrained = config.gap.placebo = ""
    config.gap.contrasts, config.gap.pilot = (), None
    return config


def minilm():
    """Returns the config of a published encoder, MiniLM: two targets, six replicates."""
    config = _as_published("all-MiniLM-L6-v2")
    config.loss.target = 600
    lines = tuple(line for line in MAIN if line != "placebo")
    config.sweep = common.sweep(seed=tuple(range(6)), task=("absent", "rare"), line=lines)
    return config


def smollm2():
    """Returns the config of a published decoder, SmolLM2-135M: one target, 6,000 tokens, four replicates."""
    config = _as_published("SmolLM2-135M-Instruct")
    config.budget, config.loss.target = 6_000, 120
    config.pre_finetune.learning_rate = 3e-5
    lines = ("none", "random", "oracle", "dsir", "rds_plus", "got_d", "debiased")
    config.gap.contrasts = tuple(pair for pair in CONTRASTS if set(pair) <= set(lines))
    config.sweep = common.sweep(seed=(0, 1, 2, 3), task=("absent",), line=lines)
    return config


def _as_published(model: str):
    config = _protocol(CHUNKS, TARGETS)
    config.model, config.base.mixture = model, {}
    config.gap.placebo, config.gap.control = "", ()
    return config


def _protocol(chunks: dict[str, int], targets: dict[str, tuple[str, ...]]):
    config = common.get_config()
    config.evaluation = "loss"
    config.pool.packaged = tuple(chunks)
    config.pool.per_domain = dict(chunks)
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
    config.embed.model = "all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.ot.epsilon = 0.05
    config.budget = BUDGET
    config.budget_unit = "tokens"
    config.pre_finetune = common.recipe(batch_size=8, max_length=128, learning_rate=1e-4, weight_decay=0.0, dropout=False)
    config.target_model = common.recipe(max_length=128, learning_rate=1e-4)
    config.keep_models = False
    config.where = (
        *(("line", line, field, value) for line, fields in LINES.items() for field, value in fields.items()),
        *(entry for task, domains in targets.items() for entry in _target(task, domains)),
        *_target(CONTROL, tuple(chunks)),
        ("task", CONTROL, "target.shares", tuple(count / sum(chunks.values()) for count in chunks.values())),
        *(("seed", seed, "base.seed", seed // REPLICATES_PER_BASE) for seed in range(24)),
    )
    config.protocol = (
        "The domains' chunks are drawn once for all seeds and embedded once; each seed draws three in four of them.",
    )
    config.gap.floor, config.gap.ceiling = "random", "oracle"
    config.gap.untrained, config.gap.placebo = "none", "placebo"
    config.gap.contrasts = CONTRASTS
    config.gap.control = (CONTROL,)
    config.gap.pilot = 4
    return config


def _target(task: str, domains: tuple):
    return (("task", task, "target.domains", domains), ("task", task, "task.home", domains))
