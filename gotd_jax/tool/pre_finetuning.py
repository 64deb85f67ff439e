"""A language model pre-fine-tuned on a selection, as a Hugging Face folder that any toolkit can fine-tune."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

from gotd_jax import checksums, models
from gotd_jax.artifacts import stage
from gotd_jax.data import readers
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.formats import format_of
from gotd_jax.data.sampling import drawn
from gotd_jax.models.folders import WEIGHTS
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of
from gotd_jax.tool.model_card import CARD, PreFinetuning, card
from gotd_jax.training import checkpoints
from gotd_jax.training.base_model import HEAD, HEAD_TEXTS, check_length
from gotd_jax.training.pre_finetune import pre_finetune, train_head
from gotd_jax.training.recipe import Recipe

RUNS = "training"  # the folder of the runs' metrics, for a person and for TensorBoard
MANIFEST = "manifest.json"


def warm(
    model: str | os.PathLike,
    selection: str | os.PathLike,
    out: str | os.PathLike,
    *,
    batch_size: int = Recipe.batch_size,
    max_length: int = Recipe.max_length,
    epochs: int = Recipe.epochs,
    learning_rate: float = Recipe.learning_rate,
    warmup_share: float = Recipe.warmup_share,
    accumulate: int = Recipe.accumulate,
    rematerialise: bool = Recipe.rematerialise,
    compute_dtype: str = "float32",
    text_field: str = "text",
    seed: int = 0,
) -> Path:
    """Returns `out`, a Hugging Face folder of `model` after unsupervised training on `selection`, with tokeniser and card.

    The defaults are the paper's for domain tasks (Table 8); for GLUE it has a learning rate of 1e-6 (Table 10). A masked
    language model that was published without its head gets one, which is first trained on up to 2,000 texts drawn from the
    selection while the body is held still. `training/` keeps every step's metrics, as JSON Lines and for TensorBoard.

    The folder is whole or absent: a stopped run goes on from `out.partial` when it is started again with the same arguments.

    Args:
      model: a Hugging Face folder or hub name of an encoder or a causal language model, or a packaged model.
      selection: a folder with the chosen text in `part-*`, or any other source of texts that is read here.
      out: the folder to write.
      batch_size: texts a step (of a causal language model blocks), on all devices together.
      max_length: tokens of a text that are read; of a causal language model, tokens of a block.
      epochs: passes over the selection.
      learning_rate: the highest; it falls linearly to 0.
      warmup_share: share of the steps over which the learning rate first rises from 0.
      accumulate: parts in which a step's texts are read one after another, for less memory.
      rematerialise: whether the inside of each layer is worked out again in the backward pass, for less memory.
      compute_dtype: 'float32' or 'bfloat16'; weights are float32 in either.
      text_field: field of a row with the text.
      seed: of the order, the masks, dropout and a fresh head.

    Raises:
      ValueError: the model or the selection cannot be read, an argument is out of range, or `out` holds something else.
      RuntimeError: the training diverged.
      KeyboardInterrupt, SystemExit: the run was stopped; its state is saved.
    """
    recipe = Recipe(
        batch_size=batch_size,
        max_length=max_length,
        epochs=epochs,
        learning_rate=learning_rate,
        warmup_share=warmup_share,
        accumulate=accumulate,
        rematerialise=rematerialise,
    )
    corpus = chosen_texts(selection, text_field)
    base = models.load_language_model(model, seed=seed, compute_dtype=compute_dtype)
    check_length(base, max_length)
    tokenizer_of(base)  # an unfit tokeniser is refused first
    trained = PreFinetuning(
        model=Path(model).name if Path(model).is_dir() else str(model),
        head=base.head,
        head_texts=min(HEAD_TEXTS, len(corpus)) if base.fresh else 0,
        texts=len(corpus),
        manifest=_manifest_hash(Path(selection)),
        recipe=recipe,
        seed=seed,
    )
    settings = {**trained.to_dict(), "weights": models.fingerprint_of(model), "selection": corpus.fingerprint}
    settings |= {"head_recipe": _head_recipe(recipe)} if trained.head_texts else {}

    def make(folder: Path) -> None:
        if not (folder / WEIGHTS).exists():
            if not (folder / "model").exists():
                models.save(folder / "model", base, _trained(base, corpus, trained, folder / RUNS))
            _move_up(folder / "model")
        (folder / CARD).write_text(card(trained, folder / RUNS / "pre_finetune", Path(out).name), encoding="utf-8")
        for run in (folder / RUNS).iterdir():
            checkpoints.clear(run)

    return stage(out, settings, make, kind="warmed", replace=False)


def chosen_texts(selection: str | os.PathLike, text_field: str = "text") -> Corpus:
    """Returns the texts of a selection's folder, part by part, or of any other source that `readers.read` reads."""
    folder = Path(selection)
    parts = sorted(path for path in folder.glob("part-*") if format_of(path)) if folder.is_dir() else []
    return readers.read(parts or selection, text_field=text_field)


def _manifest_hash(selection: Path) -> str | None:
    path = selection / MANIFEST
    return checksums.sha256(path) if path.is_file() else None


def _trained(base: Loaded, corpus: Corpus, trained: PreFinetuning, runs: Path) -> dict:
    """Returns the parameters after training on the selection, of the head alone before that where it is fresh."""
    options = {"seed": trained.seed, "tensorboard": True}
    if trained.head_texts:
        print(
            f"{trained.model} has no masked-LM head: one is trained first, on {trained.head_texts:,} texts of the selection.",
            file=sys.stderr,
        )
        recipe, texts = _head_recipe(trained.recipe), corpus.take(drawn(len(corpus), trained.head_texts, trained.seed))
        params = train_head(base, texts, recipe, folder=runs / "head", **options)
        base = dataclasses.replace(base, params=params)
    return pre_finetune(base, corpus, trained.recipe, folder=runs / "pre_finetune", save_last=False, **options)


def _head_recipe(recipe: Recipe) -> Recipe:
    """Returns the recipe of a fresh head, with the batches of the training that follows."""
    length = min(HEAD.max_length, recipe.max_length)
    return dataclasses.replace(recipe, learning_rate=HEAD.learning_rate, max_length=length, epochs=HEAD.epochs)


def _move_up(folder: Path) -> None:
    """Moves a folder's files into its parent, the weights last: where they are, all are."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == WEIGHTS):
        os.replace(path, folder.parent / path.name)
    folder.rmdir()
