"""Every field of every config, with its default: the paper's GLUE protocol where the paper states one.

A config starts from `get_config()` and sets only what differs. Any field can be set on the command line,
`--config.budget=20000`; new ones cannot be added, except names under `config.pool.domains` and `config.pool.text_fields`.
How a model is trained is a recipe, such as `config.finetune`. It states which fields of `gotd_jax.training.recipe.Recipe`
differ from the defaults there; any can be set, `--config.finetune.batch_size=32`.
"""

import functools
from collections.abc import Callable, Mapping

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from gotd_jax.data import published_pools
from gotd_jax.methods import METHODS, Method
from gotd_jax.models.scaling import SHRINKAGE
from gotd_jax.training.recipe import Recipe

# Sentences of `protocol`: where a run at full size differs from the paper, and why.
FETCHED_ALONE = published_pools.stand_in_remark(published_pools.FETCHED)
DRAWN_DOMAINS = (
    "Of each domain up to 2.5 million chunks are drawn as its files are read, all chunks of a document together, once for all "
    "seeds; how the paper drew its 2 to 3 million is unstated. Texts and ends of texts that are shorter than a chunk are left "
    "out; the published readme joins short samples, and does not say in which of the domains."
)
CLOSEST_DOMAINS = (
    "Every method that looks at the target, and random, chooses from the two domains closest to it, a million chunks of each "
    "(App. D.2); the paper tested domains for GOT-D alone."
)
OWN_FILTER = (
    "DSIR reads the same chunks as the others. Its filter by quality has the bounds of Xie et al. (2023), on DSIR's own tokens "
    "and with a list of function words of ours, where theirs are NLTK's."
)
NOT_VAMPIRE = (
    "TAPT/c takes neighbours by the encoder that GOT-D reads, each text once; the paper's are by VAMPIRE, trained on a million "
    "documents of one domain chosen by hand, and hold texts twice."
)
CAPPED = (
    "Of a target of more than 10,000 chunks 10,000 are taken, drawn by a seed: the size that the solver is made for. The paper "
    "names no limit."
)


def get_config() -> ConfigDict:
    """Returns the defaults, in the order of the pipeline."""
    config = ConfigDict()
    config.method = "got_d"  # one of gotd_jax.methods.METHODS
    config.budget = 50_000
    # A replicate: draws selections, batches, dropout, fresh heads, continuations. The seeds of pool, task, detox and choices
    # follow it, so that it draws labels and texts as well, the same for all methods; one that is set stays as it is.
    config.seed = 0
    # How a cell ends: finetune, toxicity (of continuations), choices (zero-shot), selection, loss (on held-out text).
    config.evaluation = "finetune"
    config.budget_unit = "chunks"  # or tokens, of the model that is pre-fine-tuned: to within a chunk, whatever their lengths
    config.data_dir = placeholder(str)  # where task folders lie, in GLUE's or Don't-Stop-Pretraining's own layout

    # The candidate pool.
    config.pool = pool = ConfigDict()
    pool.packaged = ()  # names of domains that lie in published packages (gotd_jax.data.pools.DOMAINS)
    pool.named = ()  # the paper's domains (gotd_jax.data.published_pools), each from where it, or its nearest kin, can be had
    pool.domains = ConfigDict()  # name -> file, glob, folder, tfds:..., hf:...; any name may be added
    pool.text_field = "text"
    pool.text_fields = ConfigDict()  # name -> field, of domains whose texts lie in another
    pool.characters = 1000  # a chunk's length (App. C.2); 0 keeps texts as they are
    pool.short = "drop"  # texts shorter than a chunk: drop, keep
    pool.long = "split"  # and longer ones: split (as for language understanding), cut to their first chunk
    pool.per_domain = placeholder(object)  # chunks of each domain, a number, or one a name; drawn by `pool.seed`; or all.
    # With a number, no more of a dataset of the hub is downloaded than these take.
    pool.seed = config.get_oneway_ref("seed")
    # The share of these chunks that `seed` draws: with a fixed `pool.seed` all are embedded once, for the draws of all seeds.
    pool.share = 1.0
    pool.documents = (0.0, 1.0)  # the part of each domain's documents that is read, in an order that their content decides
    pool.near_duplicates = placeholder(float)  # least Jaccard similarity of near duplicates; by default even copies are none
    pool.most_alike = 1  # of each group of near duplicates that can be chosen, by whatever method

    # The domain relevance test (App. D.2): the candidates are those of the domains closest to the target.
    pool.relevance = relevance = ConfigDict()
    relevance.keep = placeholder(int)  # domains; by default there is no test (the paper: 2)
    relevance.chunks = placeholder(int)  # of those domains together; all they hold by default (the paper: 2 million)
    relevance.shares = "equal"  # of each in `chunks`: equal, relevance (more from closer ones)
    relevance.sample = 10_000  # chunks of each domain that its distance is taken from, drawn by `pool.seed`
    relevance.methods = ()  # that choose from those domains alone; all but all_domains and dapt by default (the paper: its own)

    # The task.
    config.task = task = ConfigDict()
    task.name = "CoLA"  # a GLUE task, a Don't-Stop-Pretraining folder, a packaged task, or your own with files below
    task.train = ""  # your own task: JSON Lines or Parquet with a text and a label in each row
    task.validation = ""
    task.test = ""
    task.text_field = "text"
    task.pair_field = placeholder(str)
    task.label_field = "label"
    task.kind = "classification"  # or regression
    task.metrics = ()  # of gotd_jax.evaluation.metrics.METRICS, the table's first; accuracy or pearson by default
    task.labels = placeholder(int)  # how many labelled examples to use, drawn by `task.seed`; all by default
    task.tested = placeholder(int)  # how many examples of the test split to score on, drawn by `task.seed`; all by default
    task.seed = config.get_oneway_ref("seed")
    task.home = ()  # names of the pool's domains that the task belongs to: dapt draws from them, and purity is their share

    # The target: the task's training texts, made into chunks of the pool's length (short ones joined).
    config.target = target = ConfigDict()
    target.short = "join"  # texts shorter than a chunk: join, keep
    target.long = "split"  # and longer ones: split, cut
    target.most = 10_000  # chunks, drawn by `task.seed`: the size the solver is made for; the paper names no limit
    target.domains = ()  # (evaluations selection, loss) whose texts, held out of the pool, take the place of a task's
    target.shares = ()  # of each of these domains; as much of each by default
    target.documents = (0.0, 1.0)  # (evaluation loss) the part of their documents that the target is drawn from

    # Embeddings.
    config.embed = embed = ConfigDict()
    embed.model = "distilbert-base-uncased"
    embed.finetuned = True  # fine-tune the encoder on the task first (App. C.2: "1-5 min, a few epochs, large batch")
    embed.finetune = recipe(learning_rate=2e-5, epochs=3, max_length=256)  # rate unstated: Table 11's
    embed.layers = placeholder(int)  # of the model that are read; 0 is its embeddings of tokens; all by default
    embed.max_length = 295  # tokens (the notebook's)
    # Of the hidden states of a text's tokens: mean, position (later tokens weigh more: RDS+), cls, last; folder: as the model's
    # folder says (sentence-transformers' modules.json). Or gradient: the model's own, of its loss of the text (LESS's kind).
    embed.pooling = "mean"
    # Of vectors: none; own, as the model's folder says; unit, of length one; centred, less the pool's mean, and whitened, by
    # its covariance, both then of length one (gotd_jax.models.scaling). The paper's are as the hidden states are pooled.
    embed.normalise = "none"
    embed.shrinkage = SHRINKAGE  # of that covariance toward a multiple of the identity, 0 to 1
    embed.directions = placeholder(int)  # of the largest variance, that whitened vectors keep; all by default
    embed.gradient_layers = placeholder(int)  # the last ones, whose parameters' gradient it is; of all parameters by default
    embed.gradient_size = 1024  # numbers that a gradient is projected to, a power of two
    embed.dtype = "float32"  # of the embeddings kept; float16 takes half the space
    embed.compute_dtype = "float32"  # of products: float32, bfloat16 (2.7 times as fast with AMX), fast: see `at_full_size`

    # Optimal transport: the arguments of gotd_jax.ot.solve.
    config.ot = ot = ConfigDict()
    ot.published = False  # the notebook's setting (absolute epsilon 0.1, momentum 1.3, threshold 0.1) in place of these
    ot.epsilon = 0.01  # of the mean cost
    ot.absolute = False
    ot.solver = placeholder(str)  # sinkhorn (the paper's), semidual (many times faster); by size by default
    ot.threshold = 1e-3  # of the mass
    ot.max_iterations = 2000
    ot.sample = placeholder(int)  # candidates to solve on, all are valued; all by default
    ot.precision = placeholder(str)  # semidual: of first products, float32, bfloat16, float16; the fastest by default
    ot.momentum = 1.5  # sinkhorn: over-relaxation

    # The ranking of every method that has values: the arguments of gotd_jax.methods.ranking.with_noise.
    config.ranking = ranking = ConfigDict()
    ranking.noise = placeholder(float)  # in standard deviations of the values; 0 takes the best; by default as the method does

    # The model that is pre-fine-tuned, and its masked-LM head where the published weights have none.
    config.model = "bert-base-uncased"
    config.compute_dtype = "float32"  # of its products, as of the encoder's
    config.base = base = ConfigDict()  # or a small model that is pre-trained here first, on a known mixture of domains
    base.mixture = ConfigDict()  # domain -> share of the characters; empty: there is none, and `model` names one
    base.characters = 64_000_000
    base.documents = (0.0, 1.0)  # the part of the domains' documents that it reads
    base.seed = 0  # of its texts, weights and order
    base.reference = 0  # chunks that stand for its distribution in got_d, in place of the pool; 0: the pool does
    base.reference_from = "read"  # drawn from what it read, or from the pool, the more often the lower its loss is
    base.sizes = ConfigDict()  # fields of gotd_jax.pipeline.pre_trained.Sizes
    base.recipe = recipe(batch_size=16, max_length=128, learning_rate=2e-3, warmup_share=0.02, beta2=0.95, weight_decay=0.1)
    config.head = head = ConfigDict()
    head.chunks = 2000  # of the pool, drawn by `pool.seed` before any selection
    head.recipe = recipe(learning_rate=1e-3, max_length=128)

    # That model after light training on the target, with which the method loss_difference compares it.
    config.target_model = recipe(learning_rate=1e-4)  # ours: one epoch at Table 8's rate; losses are read at its max_length

    # I. Pre-fine-tuning (Table 10) and II. targeted fine-tuning (Table 11).
    config.pre_finetune = recipe(learning_rate=1e-6)
    config.finetune = recipe(learning_rate=2e-5, epochs=3, max_length=128, weight_decay=0.0)  # Table 11 has no weight decay
    config.keep_models = True  # the pre-fine-tuned models, as Hugging Face folders
    config.probe = False  # whether the second stage is a linear probe of the model's frozen states, in place of fine-tuning
    config.target_loss = 500  # texts of the test split whose loss is taken between the stages, drawn by `task.seed`; 0: none

    # Where `evaluation` is toxicity (Section 3.1, App. C.4).
    config.detox = detox = ConfigDict()
    detox.chooser = "linear"  # scorer of candidates, for rtp: linear, lexicon, or a Hugging Face classifier
    detox.judge = "lexicon"  # scorer of continuations; another than the chooser
    detox.second_judge = ""  # one more, with columns of its own (Table 6); none by default
    detox.prompts_file = ""  # RealToxicityPrompts' prompts.jsonl; without, packaged prompts and texts
    detox.prompts = 10_000  # toxic ones, and as many non-toxic
    detox.targets = 2_500  # clean texts, and with the file as many toxic ones
    detox.held_out = 10_000  # chunks of the pool set aside for perplexity ("10k OWTC samples")
    detox.continuations = 25  # of each prompt
    detox.new_tokens = 20  # at most, of each
    detox.top_p = 0.9
    detox.temperature = 1.0
    detox.batch_size = 8  # prompts read at once on each device
    detox.fluency = 25  # continuations of each prompt whose perplexity under the base model is taken
    detox.perplexity_length = 1_024  # tokens of a window; unstated: the length of the blocks trained on
    detox.utility_tasks = ()  # of gotd_jax.data.choice_tasks
    detox.seed = config.get_oneway_ref("seed")  # draws prompts, targets and held-out chunks: the same for every method

    # Where `evaluation` is choices (App. E), and of the utility tasks of toxicity.
    config.choices = choices = ConfigDict()
    choices.most = 1_000  # items of each task, drawn by `choices.seed`; all where there are fewer
    choices.seed = config.get_oneway_ref("seed")

    # Where `evaluation` is selection: nothing is trained, the selection itself is measured.
    config.selection = selection = ConfigDict()
    selection.mass = 0.2  # lambda: of the selection in the effective distribution; unstated
    selection.held_out = 500  # chunks of the task's test split, drawn by `task.seed`, that the distribution is held against
    selection.exact = 10_000  # candidates at most, drawn by `pool.seed`, that exact transport is solved on

    # Where `evaluation` is loss: of the pre-fine-tuned model on texts of the target's domains, and of its pre-training's.
    config.loss = loss = ConfigDict()
    loss.documents = (0.0, 1.0)  # the part of the domains' documents that is measured on
    loss.target = 1_600  # chunks of the target's domains, drawn by `task.seed`
    loss.pre_training = 400  # chunks of the base's mixture

    # Where `evaluation` is probes: linear probes of the pre-fine-tuned model's frozen states, the loss beside them.
    config.probes = probes = ConfigDict()
    probes.labels = (16, 64, 256)  # drawn from the task's training split
    probes.draws = 20  # of each

    # The cells that are run: every combination of the values of these fields, sweep.seed, sweep.dsir.buckets, ...; some have a
    # shorter name in experiments.sweep.SWEPT.
    config.sweep = ConfigDict()
    config.only_available = False  # of the tasks swept over, those alone that lie in `data_dir`
    config.with_published = False  # besides the epsilons swept over, the notebook's call (`ot.published`), a line "published"
    config.where = ()  # (swept field, its value, field, value): settings that hold only where the sweep is at that value
    config.figure = ()  # a kind of gotd_jax.report.figures.FIGURES and its fields, ("heatmap", "epsilon", "budget")
    config.protocol = ()  # sentences beneath the table, on departures from the paper's protocol
    config.margin = margin = ConfigDict()  # differences below it do not matter; the table tells which are shown to be below
    margin.points = 1.0  # of scores and accuracies, times 100
    margin.share = 0.02  # of all other measures, of the other line's mean
    # Where lines have a floor and a ceiling: the share of the gap between them that each closes (gotd_jax.report.gap_closed).
    config.gap = gap = ConfigDict()
    gap.floor, gap.ceiling = "", ""  # of `sweep.line`; there is no gap by default
    gap.untrained, gap.placebo = "", ""  # the model as it is, and after more of what it was pre-trained on
    gap.contrasts = ()  # (line, line): written before the run, tested by Holm for as many as there are
    gap.margin = 10.0  # percent of the gap: lines nearer to each other are equally good
    gap.control = ()  # targets for which no line may differ from the floor: they have no gap
    gap.pilot = placeholder(int)  # replicates after which a run stops unless it passes the two gates
    gap.by = ()  # swept fields, budget, pre_finetune.learning_rate, ...: each of their values has a gap of its own
    gap.best = False  # besides its values, each line and target at its best, chosen by the other replicates
    config.paper = ""  # the paper's table to print beside ours (gotd_jax.report.paper)

    # The methods' own options, as gotd_jax/methods declares and explains them: dsir.quality, crisp.clusters, tsds.alpha, ...
    for method in METHODS.values():
        if method.own_options and method.name in config:
            raise ValueError(f"A method with options cannot be called {method.name}: a part of every config has that name.")
        if method.own_options:
            config[method.name] = options(method)
    config.sweep = _sections(config)
    return config


def options(method: Method) -> ConfigDict:
    """Returns a field for each of a method's own options, of its type and with its default."""
    own = method.own_options.items()
    return ConfigDict({name: placeholder(each.kind) if each.default is None else each.default for name, each in own})


def at_full_size(config: ConfigDict) -> None:
    """Sets how a table at the paper's size is computed: by the paper's solver, with products in bfloat16 where they are fast.

    That is on GPUs, TPUs and processors with matrix units; elsewhere products stay in float32, and everywhere parameters,
    moments, sums, the dual problem and its ranking. experiments/results/ot-precisions.md measures how many of the selected rows
    stay the same, ot-solvers.md how many the two solvers share.
    """
    config.ot.solver = "sinkhorn"
    config.compute_dtype = config.embed.compute_dtype = "fast"


def seven_domains(config: ConfigDict) -> None:
    """Sets the pool of language understanding: the paper's seven domains, and of them the two closest to the target."""
    config.pool.named = published_pools.FETCHED
    config.pool.per_domain = 2_500_000  # "2-3M" of each (App. C.1.2)
    config.pool.seed = 0  # one draw for all replicates: another would be downloaded again
    config.pool.relevance.keep = 2
    config.pool.relevance.chunks = 2_000_000  # a million of each (App. D.2)
    config.dsir.quality = True  # App. C.1


def recipe(**changes) -> ConfigDict:
    """Returns `changes` to `gotd_jax.training.recipe.Recipe` (AdamW, linear decay, no warm-up): how a model is trained."""
    Recipe(**changes)
    return ConfigDict(changes)


def sweep(**values: tuple) -> ConfigDict:
    """Returns a sweep over every combination of the values of these fields; deeper ones are dotted, `"dsir.buckets"`."""
    found = get_config().sweep
    for path, of_field in values.items():
        set_field(found, path, of_field)
    return found


def variant(name: str, argument: str, variants: Mapping[str, Callable[[], ConfigDict]]) -> ConfigDict:
    """Returns the config that the argument of a config file chooses: `small` in --config=configs/glue.py:small.

    Args:
      name: of the config file.
      argument: after the colon; "" without one.
      variants: functions that return configs, by argument.

    Raises:
      ValueError: there is no such variant.
    """
    if argument not in variants:
        known = ", ".join(filter(None, variants))
        raise ValueError(f"configs/{name}.py has no variant {argument!r}. It has: {known}, or none at all.")
    return variants[argument]()


def set_field(config: ConfigDict, path: str, value) -> None:
    """Sets a dotted field of `config`; raises ValueError if it does not take the value."""
    *parents, field = path.split(".")
    try:
        functools.reduce(getattr, parents, config)[field] = value
    except TypeError as error:
        raise ValueError(f"config.{path} cannot be {value!r}: {error}") from error


def _sections(config: ConfigDict) -> ConfigDict:
    """Returns the sections of a sweep: a flag can set a field only in a section that is there.

    A sweep has none called `task`, which is the name of the task there.
    """
    sections = {name: value for name, value in config.items() if isinstance(value, ConfigDict)}
    return ConfigDict({name: _sections(value) for name, value in sections.items() if name not in ("sweep", "task")})
