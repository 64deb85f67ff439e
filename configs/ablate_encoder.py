"""The encoder that texts are embedded by: the question of the paper's Table 17, for every method that reads embeddings.

    python -m experiments.main --config=configs/ablate_encoder.py --config.data_dir=/data/domain_tasks
    python -m experiments.main --config=configs/ablate_encoder.py:small

Encoders: `finetuned` is one trained on the task's labels first (the paper's choice), `sentences` a sentence transformer,
`tokens` the mean of a text's token embeddings, without the text around them (what the paper's "token space" is, it does
not say: this is ours), and `language_model` the last hidden states of a language model, later tokens weighing more (RDS+;
Ivison et al. 2025). The paper's table has GOT-D and the first three; its one comparison of methods on the same embeddings is
there too: with sentences GOT-D had 52.7 and 60.1, TAPT/c 51.8 and 57.0 (5K and 20K selected).

Cost: full, as configs/zero_shot.py, a day on one modern GPU, not run by us. Small: 13 cells, 25 minutes of processor time.
"""

from configs import common, quickstart, zero_shot

METHODS = ("tapt_c", "rds_plus", "got_d")
WHERE = (  # the settings of two encoders, at either size
    ("encoder", "tokens", "embed.layers", 0),
    ("encoder", "language_model", "embed.finetuned", False),
    ("encoder", "language_model", "embed.pooling", "position"),
)


def get_config(variant: str = ""):
    """Returns the config of Table 17, or of another `variant`."""
    return common.variant("ablate_encoder", variant, {"": table_17, "small": small})


def table_17():
    """Returns the config of Table 17: zero-shot AG News by GPT-2 XL, 5,000 and 20,000 chunks selected by four encoders."""
    config = zero_shot.get_config()
    config.sweep = common.sweep(
        method=METHODS, budget=(5_000, 20_000), encoder=("finetuned", "sentences", "tokens", "language_model")
    )
    config.where = (
        ("encoder", "sentences", "embed.model", "sentence-transformers/all-MiniLM-L6-v2"),
        ("encoder", "sentences", "embed.finetuned", False),
        ("encoder", "tokens", "embed.finetuned", False),
        ("encoder", "language_model", "embed.model", config.model),
        ("encoder", "language_model", "embed.dtype", "float16"),  # 1,600 numbers a chunk
        *WHERE,
    )
    config.protocol = zero_shot.PROTOCOL
    config.paper = (
        "table_17_distilbert_5k, table_17_distilbert_20k, table_17_sentences_5k, "
        "table_17_sentences_20k, table_17_tokens_5k, table_17_tokens_20k"
    )
    return config


def small():
    """Returns the config of the quick start's task and model with a pool of 1,200 passages: 32 selected by four encoders."""
    config = quickstart.setting()
    config.pool.per_domain = 200
    config.budget = 32
    config.task.tested = 200
    config.embed.finetune.batch_size = 32
    config.embed.finetune.max_length = 64
    config.embed.finetune.learning_rate = 1e-4  # at 2e-5 so few steps teach nothing
    config.keep_models = False
    config.sweep = common.sweep(
        method=("random", *METHODS), seed=(0,), encoder=("sentences", "finetuned", "tokens", "language_model")
    )
    config.where = (
        ("encoder", "finetuned", "embed.finetuned", True),
        ("encoder", "language_model", "embed.model", "SmolLM2-135M-Instruct"),
        *WHERE,
    )
    return config
