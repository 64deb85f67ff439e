"""Detoxification of GPT-2: the paper's Tables 1, 6 and 7 at 10,000 selected, one seed.

    python -m experiments.main --config=configs/detox.py --config.detox.prompts_file=/data/realtoxicityprompts/prompts.jsonl
    python -m experiments.main --config=configs/detox.py:small

The pool is the paper's: 8M chunks of 500 characters of OpenWebText, one of a document, from the hub or from files of your own
(--config.pool.domains.openwebtext='/data/owtc/*.jsonl.zst'). Classifiers on this machine stand in for Perspective and OpenAI's
moderation, which are behind interfaces and change: one chooses (the texts of `rtp`), a second judges the continuations (Table
1's columns), a third judges them once more (Table 6's). Prompts and the 2,500 clean and toxic texts to select by come from
RealToxicityPrompts' file, their classes from the scores of Perspective that it has.
`got_d` is the paper's GOT-D_clean, `contrast` its GOT-D_contrast. The encoder is a sentence transformer: there are no
labels to fine-tune one on, and the paper does not say what it took here.

Variants (`:20k`, `:small`) are the functions below.

Cost: full, 6 methods of 20,000 prompts and 500,000 continuations each, and with `rtp` a score of every chunk of the pool:
hours on one modern GPU, not run by us. Small: with 24 prompts of a kind half an hour on two cores, most of it
writing; with the 12 that it has, less.

Expect (Table 1, toxicity probability on toxic prompts): GPT-2 0.67, RANDOM 0.60, DSIR 0.64, RTP 0.49, GOT-D_contrast 0.39,
GOT-D_clean 0.36; compare with one's own baseline, since scorers differ. A model can also become less toxic by
writing less, or blandly: see length, distinct n-grams and fluency. The small run trains on a few thousand tokens and
writes from few prompts: it shows the pipeline, and not what selection is worth.
"""

from configs import common

UTILITY = ("boolq", "piqa")  # of the paper's eight tasks, those that are packaged
PROTOCOL = (
    "Local classifiers score, not Perspective (Table 1) or OpenAI's moderation (Table 6), whose place the second judge has: "
    "hold each line against its table's own baseline.",
    "Targets are sentences of RealToxicityPrompts as they are, shorter than the pool's chunks: both halves have, by the scores "
    "of Perspective in its file, at most 0.1 or at least 0.5. Prompts are classed by the same scores. The paper says neither "
    "what its clean and toxic samples are nor when it scored them.",
    common.OWN_FILTER,
    f"Utility is the mean of {' and '.join(UTILITY)}, by the library; the paper's is of eight tasks, by the harness.",
    "Encoder, batch size, blocks and decay are unstated in the paper; see the config.",
)


def get_config(variant: str = ""):
    """Returns the config of Table 1 with 10,000 selected, or of another `variant`."""
    return common.variant("detox", variant, {"": ten_thousand, "20k": twenty_thousand, "small": small})


def ten_thousand():
    """Returns the config of Tables 1, 6 and 7 with 10,000 chunks selected."""
    config = _detox()
    common.at_full_size(config)
    config.pool.named = ("openwebtext",)
    config.dsir.quality = True
    config.budget = 10_000
    config.embed.model = "sentence-transformers/all-MiniLM-L6-v2"
    config.model = "gpt2"
    config.pre_finetune.batch_size = 8  # unstated: the published script's default, as are the blocks and the linear decay
    config.pre_finetune.max_length = 1_024  # a block, in tokens
    config.pre_finetune.epochs = 3
    config.pre_finetune.learning_rate = 2e-5
    config.detox.chooser = "unitary/toxic-bert"
    config.detox.judge = "unitary/unbiased-toxic-roberta"
    config.detox.second_judge = "tomh/toxigen_roberta"
    config.detox.utility_tasks = UTILITY
    config.protocol = PROTOCOL
    config.paper = "table_1_10k, table_6_10k, table_7_10k"
    return config


def twenty_thousand():
    """Returns the config of Tables 1, 6 and 7 with 20,000 chunks selected."""
    config = ten_thousand()
    config.budget = 20_000
    config.paper = "table_1_20k, table_6_20k, table_7_20k"
    return config


def small():
    """Returns the config of Table 1 for a small language model and packaged texts: 32 chunks selected, 12 prompts of a kind."""
    config = _detox()
    config.pool.packaged = ("reviews", "news", "biomedical", "law", "finance", "biographies")
    config.pool.per_domain = 500
    config.budget = 32
    config.embed.model = "all-MiniLM-L6-v2"
    config.model = "SmolLM2-135M-Instruct"
    config.pre_finetune.batch_size = 2
    config.pre_finetune.max_length = 256
    config.pre_finetune.learning_rate = 1e-4  # at 2e-5 so few steps change nothing
    config.detox.prompts = 12
    config.detox.targets = 200
    config.detox.held_out = 16
    config.detox.fluency = 4
    return config


def _detox():
    config = common.get_config()
    config.evaluation = "toxicity"
    config.pool.characters = 500
    config.pool.long = "cut"
    config.task.name = "detox"
    config.target.short, config.target.long = "keep", "cut"  # 2,500 texts are 2,500 targets
    config.embed.finetuned = False
    config.embed.max_length = 128
    config.pre_finetune = common.recipe(weight_decay=0.1, beta2=0.95, adam_epsilon=1e-5)
    config.keep_models = False
    config.sweep.method = ("none", "random", "dsir", "rtp", "contrast", "got_d")
    return config
