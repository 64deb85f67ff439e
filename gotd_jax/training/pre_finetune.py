"""Pre-fine-tuning: unsupervised training on the selection, and a masked-LM head for models that come without."""

from __future__ import annotations

from pathlib import Path

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.models.published import Loaded
from gotd_jax.training.batches import MaskedBatches, Vocabulary
from gotd_jax.training.loop import train
from gotd_jax.training.objectives import MaskedLanguageModel
from gotd_jax.training.recipe import Recipe


def pre_finetune(
    model: Loaded, corpus: Corpus, recipe: Recipe, *, seed: int, folder: str | Path | None = None, **options
) -> dict:
    """Returns the parameters of a masked language model after training on `corpus` (paper, Tables 8 and 10).

    Args:
      model: a loaded masked language model: `definition`, `params` and `source`, the folder of its tokeniser.
      corpus: the selection.
      recipe: how to train.
      seed: of the order, the masks and dropout.
      folder: where the run keeps its state; see `train`.
      **options: further ones of `train`.
    """
    tokenizer = load_tokenizer(model.source)
    tokens = tokenise(tokenizer, corpus, recipe.max_length)
    batches = MaskedBatches(tokens, Vocabulary.of(tokenizer), recipe, seed)
    options = {"what": "pre-fine-tuning", **options}
    return train(MaskedLanguageModel(model.definition), model.params, batches, recipe, seed=seed, folder=folder, **options)


def warm_up_head(
    model: Loaded, corpus: Corpus, recipe: Recipe, *, seed: int, folder: str | Path | None = None, **options
) -> dict:
    """Returns the model's parameters with a trained masked-LM head; the rest is bitwise as it was.

    A model published without this head (an embedding model, a classifier) gets a fresh one, whose first gradients would
    wash out what the body knows. So the head is trained first, with the body held still, on text that no
    method chose: the same for all methods, or they are not compared on their selections. A published head is left alone.

    Args:
      model: as for `pre_finetune`; `fresh` names its parts that the file lacks.
      corpus: a uniform sample of the pool, or any text that does not depend on the method.
      recipe: how to train; with a learning rate for a head, about 1e-3.
      seed: of the order, the masks and dropout.
      folder: where the run keeps its state; see `train`.
      **options: further ones of `train`.
    """
    if "head" not in model.fresh:
        return model.params
    options = {"trainable": ("head",), "what": "warming up the head", **options}
    return pre_finetune(model, corpus, recipe, seed=seed, folder=folder, **options)
