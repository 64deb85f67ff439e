"""Pre-fine-tuning: unsupervised training on the selection, and a masked-LM head for models that come without."""

from __future__ import annotations

from pathlib import Path

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import tokenise
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.training.batches import MaskedBatches, PackedBatches, Vocabulary
from gotd_jax.training.loop import train
from gotd_jax.training.objectives import CausalLanguageModel, MaskedLanguageModel
from gotd_jax.training.recipe import Recipe

WHOLE = 1 << 30  # tokens: texts are packed and not cut


def pre_finetune(
    model: Loaded, corpus: Corpus, recipe: Recipe, *, seed: int, folder: str | Path | None = None, **options
) -> dict:
    """Returns the parameters of a masked or causal language model after training on `corpus` (paper, Tables 8 and 10).

    Args:
      model: a loaded language model: `definition`, `params` and `source`, the folder of its tokeniser.
      corpus: the selection.
      recipe: how to train.
      seed: of the order, the masks and dropout.
      folder: where the run keeps its state; see `train`.
      **options: of `train`.
    """
    tokenizer = tokenizer_of(model)
    options = {"label": "pre-fine-tuning", **options}
    definition = model.rematerialising() if recipe.rematerialise else model.definition
    if model.head == "causal_lm":
        objective = CausalLanguageModel(definition)
        batches = PackedBatches(tokenise(tokenizer, corpus, WHOLE), _end_id(model), recipe, seed)
    else:
        objective = MaskedLanguageModel(definition)
        tokens = tokenise(tokenizer, corpus, recipe.max_length)
        batches = MaskedBatches(tokens, Vocabulary.of(tokenizer), recipe, seed)
    return train(objective, model.params, batches, recipe, seed=seed, folder=folder, **options)


def _end_id(model: Loaded) -> int:
    if not model.config.end_ids:
        raise ValueError(f"The configuration in {model.source} names no eos_token_id, which parts texts in training. Add it.")
    end_id = model.config.end_ids[0]
    if end_id >= model.config.vocab_size:
        raise ValueError(
            f"The configuration in {model.source} names eos_token_id {end_id}, and the model's table of embeddings has "
            f"{model.config.vocab_size} rows. Correct it."
        )
    return end_id


def train_head(
    model: Loaded, corpus: Corpus, recipe: Recipe, *, seed: int, folder: str | Path | None = None, **options
) -> dict:
    """Returns the model's parameters with a trained masked-LM head; the other parameters are bitwise unchanged.

    A model published without this head (an embedding model, a classifier) gets a fresh one, whose first gradients would
    wash out the body's knowledge. So the head is trained first, with the body frozen, on text that no
    method chose: the same for all methods, or they are not compared on their selections. A published head is left alone.

    Args:
      model: as for `pre_finetune`; `fresh` names its parts that the file lacks.
      corpus: a uniform sample of the pool, or any text that does not depend on the method.
      recipe: how to train; with a learning rate for a head, about 1e-3.
      seed: of the order, the masks and dropout.
      folder: where the run keeps its state; see `train`.
      **options: of `train`.
    """
    if "head" not in model.fresh:
        return model.params
    options = {"trainable": ("head",), "label": "training the head", **options}
    return pre_finetune(model, corpus, recipe, seed=seed, folder=folder, **options)
