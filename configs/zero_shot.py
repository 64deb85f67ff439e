"""Zero-shot classification after pre-fine-tuning: the paper's Table 16 (AG News, GPT-2 XL) and Table 18 (BoolQ, GPT-Neo 2.7B).

    python -m experiments.main --config=configs/zero_shot.py --config.data_dir=/data/domain_tasks
    python -m experiments.main --config=configs/zero_shot.py:boolq
    python -m experiments.main --config=configs/zero_shot.py:small

AG News lies in `data_dir` in Don't-Stop-Pretraining's layout (ag/train.jsonl, ...); BoolQ is packaged. The pool is
the paper's: OpenWebText for AG News and, for BoolQ, of seven domains the one closest to it (DSIR and random choose from all);
it comes from the hub, or from files of your own, --config.pool.domains.openwebtext='/data/owtc/*.jsonl.zst'.
All methods read the same embeddings, of DistilBERT fine-tuned on 5,000 labels; in the paper TAPT/c reads others.
Of each item's options the model takes the one with which the whole has the lowest perplexity, as the paper has it. Beside
that stand the calibrated choice (by how much the item raises an option's log-probability) and always giving the commonest
answer: without these two, a shift of the label's prior looks like knowledge.

Arguments, after a colon: nothing is Table 16, `boolq` Table 18, `sentences` is Table 17's second column (GOT-D on a
sentence transformer's embeddings), `small` the same pipeline on SmolLM2-135M-Instruct for the topics of BBC News (AG News's
kin) and BoolQ with a packaged pool that holds none of their texts.

Cost: full, 4 methods x 4 budgets of pre-fine-tuning 1.5 billion parameters on up to 40,000 chunks: a day on one modern GPU,
not run by us. Small: 15 minutes on two cores.

Expect (Table 16, 5,000 to 40,000 selected): none 49.5; GOT-D 53.5, 57.0, 61.4, 63.4; DSIR 51.8, 51.2, 53.1, 54.7; TAPT/c 51.8,
55.2, 57.0, 59.1. Table 18: none 51.1, GOT-D 57.7, DSIR 53.3, TAPT/c 51.2, all below BoolQ's majority class (62). A
thousand items have a standard error of 1.6 points. The small run trains on some two thousand tokens and asks 30
items of each task: it shows the pipeline, and not what selection is worth.
"""

from configs import common

PROTOCOL = (
    "Items are drawn by a seed from the whole test split; chunks that hold a piece of an item are left out of the pool.",
    "The target's texts are joined to chunks of the pool's length, which the paper says of its other tasks and not of these.",
)
ONE_ENCODER = "Methods that embed read one encoder; in the paper TAPT/c reads a sentence transformer, and GOT-D another."


def get_config(variant: str = ""):
    """Returns the config of Table 16, or of the `variant` named in the module's docstring."""
    config = common.get_config()
    config.evaluation = "choices"
    config.task.name = "ag_news"
    config.task.labels = 5_000  # that the encoder is fine-tuned on; as many texts make the target
    config.pool.named = ("openwebtext",)
    config.dsir.quality = True
    common.at_full_size(config)
    config.pool.characters = 500
    config.pool.long = "cut"
    config.model = "gpt2-xl"
    # Batch, blocks and decay are unstated ("everything else default"): those of the published script for detoxification.
    config.pre_finetune = common.recipe(batch_size=8, max_length=1_024, learning_rate=1e-5, weight_decay=0.0)
    config.pre_finetune.rematerialise = True  # so that 1.5 billion parameters train on one device of 80 GB
    config.keep_models = False
    config.sweep.method = ("none", "random", "dsir", "tapt_c", "got_d")
    config.sweep.budget = (5_000, 10_000, 20_000, 40_000)
    config.protocol = (*PROTOCOL, ONE_ENCODER, common.OWN_FILTER)
    config.paper = "table_16_5k, table_16_10k, table_16_20k, table_16_40k"
    if variant == "boolq":
        _boolq(config)
    elif variant == "sentences":
        _read_sentences(config)
        config.sweep.method = ("got_d",)
        config.sweep.budget = (5_000, 20_000)
        config.protocol = PROTOCOL
        config.paper = "table_17_sentences_5k, table_17_sentences_20k"
    elif variant == "small":
        _small(config)
    elif variant:
        raise ValueError(f"configs/zero_shot.py has no variant {variant!r}. It has: boolq, sentences, small, or none at all.")
    return config


def _boolq(config) -> None:
    config.task.name = "boolq"
    _read_sentences(config)  # the packaged task has no labels to fine-tune an encoder on
    common.seven_domains(config)
    config.pool.relevance.keep = 1
    config.pool.relevance.chunks = None  # unstated: all of that domain
    config.pool.relevance.methods = ("tapt_c", "got_d")
    config.pool.characters = 1_000
    config.pool.long = "split"
    config.model = "EleutherAI/gpt-neo-2.7B"
    # 2.7 billion are laid over the devices there are. One of 80 GB holds them too: a step takes 59.5 GB in bfloat16 and 58.8
    # in float32, as compiled by shape alone (tests/training/test_sizes.py), of the 60 or more that JAX takes of it at first.
    # Accumulating would not help: the sum of gradients is as large as what it saves of 8 rows (64.1 GB in 8 parts).
    config.pre_finetune.shard_weights = True
    config.sweep.budget = (40_000,)
    config.protocol += (
        common.FETCHED_ALONE,
        common.DRAWN_DOMAINS,
        "BoolQ's target is what of its training texts is packaged, some 8,000 and at most 9,000, drawn by a seed.",
    )
    config.paper = "table_18"


def _read_sentences(config) -> None:
    config.embed.model = "sentence-transformers/all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 256


def _small(config) -> None:
    config.pool.named = ()
    config.dsir.quality = False
    common.at_small_size(config)
    config.pool.packaged = ("reviews", "news", "biomedical", "law", "finance", "biographies")
    config.pool.per_domain = 200
    config.target.most = 100
    config.embed.model = "all-MiniLM-L6-v2"
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.model = "SmolLM2-135M-Instruct"
    config.pre_finetune.batch_size = 2
    config.pre_finetune.max_length = 256
    config.pre_finetune.rematerialise = False
    config.pre_finetune.learning_rate = 1e-4  # at 1e-5 so few steps change nothing
    config.choices.most = 30
    config.sweep.task = ("bbc_topics", "boolq")
    config.sweep.method = ("none", "random", "dsir", "tapt_c", "got_d")
    config.sweep.budget = (16,)
    config.protocol = ()
    config.paper = ""
