"""What the texts are embedded by: the question of the paper's Table 17, for every method that reads embeddings.

    python -m experiments.main --config=configs/ablate_encoder.py --config.data_dir=/data/domain_tasks
    python -m experiments.main --config=configs/ablate_encoder.py:small

Encoders: `finetuned` is one trained on the task's labels first (the paper's choice), `sentences` a sentence transformer,
`tokens` the mean of a text's token embeddings, without what stands around them (what the paper's "token space" is, it does
not say: this is ours), and `language_model` the last hidden states of a language model, later tokens weighing more (RDS+;
Ivison et al. 2025). The paper's table has GOT-D and the first three; its one comparison of methods on the same embeddings is
there too: with sentences GOT-D had 52.7 and 60.1, TAPT/c 51.8 and 57.0 (5K and 20K selected).

Arguments, after a colon: nothing is Table 17 (zero-shot AG News, GPT-2 XL), `small` the quick start's task and model on a
pool of 1,200 passages.

Cost: full, as configs/zero_shot.py, a day on one modern GPU, not run by us. Small: 13 cells, 25 minutes of processor time.
"""

from configs import zero_shot

METHODS = ("tapt_c", "rds_plus", "got_d")
LANGUAGE_MODEL = (
    ("encoder", "language_model", "embed.finetuned", False),
    ("encoder", "language_model", "embed.pooling", "position"),
)


def get_config(variant: str = ""):
    """Returns the config of Table 17, or of the `variant` named in the module's docstring."""
    if variant not in ("", "small"):
        raise ValueError(f"configs/ablate_encoder.py has no variant {variant!r}. It has: small, or none at all.")
    if variant == "small":
        return _small()
    config = zero_shot.get_config()
    config.sweep.method = METHODS
    config.sweep.encoder = ("finetuned", "sentences", "tokens", "language_model")
    config.sweep.budget = (5_000, 20_000)
    config.protocol = zero_shot.PROTOCOL
    config.where = (
        ("encoder", "sentences", "embed.model", "sentence-transformers/all-MiniLM-L6-v2"),
        ("encoder", "sentences", "embed.finetuned", False),
        ("encoder", "tokens", "embed.finetuned", False),
        ("encoder", "tokens", "embed.layers", 0),
        ("encoder", "language_model", "embed.model", config.model),
        *LANGUAGE_MODEL,
    )
    config.paper = (
        "table_17_distilbert_5k, table_17_distilbert_20k, table_17_sentences_5k, "
        "table_17_sentences_20k, table_17_tokens_5k, table_17_tokens_20k"
    )
    return config


def _small():
    from configs import quickstart

    config = quickstart.get_config()
    config.pool.per_domain = 200
    config.budget = 32
    config.task.tested = 200
    config.embed.finetune.batch_size = 32
    config.embed.finetune.max_length = 64
    config.embed.finetune.learning_rate = 1e-4  # at 2e-5 so few steps teach nothing
    config.keep_models = False
    config.sweep.method = ("random", *METHODS)
    config.sweep.seed = (0,)
    config.sweep.encoder = ("sentences", "finetuned", "tokens", "language_model")
    config.where = (
        ("encoder", "finetuned", "embed.finetuned", True),
        ("encoder", "tokens", "embed.layers", 0),
        ("encoder", "language_model", "embed.model", "SmolLM2-135M-Instruct"),
        *LANGUAGE_MODEL,
    )
    return config
