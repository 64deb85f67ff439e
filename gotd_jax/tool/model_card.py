"""The card of a pre-fine-tuned model: its texts and recipe, and how to load it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from gotd_jax.training import metrics_log
from gotd_jax.training.recipe import Recipe

CARD = "README.md"
# head -> (class of transformers that has it, the hub's name of its task, which tokens are predicted in training)
HEADS = {
    "masked_lm": ("AutoModelForMaskedLM", "fill-mask", "masked"),
    "causal_lm": ("AutoModelForCausalLM", "text-generation", "next"),
}
TAGS = ["gotd_jax", "data-selection", "pre-fine-tuning"]
TEMPLATE = """\
---
{front}
---

# {name}

{model} after unsupervised training (*pre-fine-tuning*, Kang et al., ICLR 2024) on
{selection}.
It has seen no labels: fine-tune it on the task that the text was selected for.{head}

The loss, in nats a {guessed} token, was {first:.4f} at the first of {steps:,} steps and {last:.4f} at the last.
`tensorboard --logdir {name}` shows every step.

```python
from transformers import {model_class}, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
model = {model_class}.from_pretrained("{name}")  # or AutoModelForSequenceClassification, with a new head to fine-tune
```

| recipe | |
| --- | --- |
{recipe}
"""
FRESH_HEAD = """

It was published without a masked-LM head. The one it has was trained first, with all else held still, on {texts:,} texts drawn
from the selection."""


@dataclasses.dataclass(frozen=True)
class PreFinetuning:
    """The pre-fine-tuning of a model: the model, the texts and the recipe.

    Attributes:
      model: the name of the model before it.
      head: 'masked_lm' or 'causal_lm'.
      head_texts: number of texts of the selection that a new head was trained on first; 0 where the model had one.
      texts: number of texts of the selection.
      manifest: SHA-256 of the selection's manifest, in hex; None where it has none.
      recipe: of the training.
      seed: of the training.
    """

    model: str
    head: str
    head_texts: int
    texts: int
    manifest: str | None
    recipe: Recipe
    seed: int

    def to_dict(self) -> dict:
        """Returns all fields, JSON-like."""
        return dataclasses.asdict(self)


def card(trained: PreFinetuning, run: Path, name: str) -> str:
    """Returns the card, Markdown with YAML before it.

    Args:
      trained: the facts about the training.
      run: the folder of the training's metrics, of which it has the first and the last loss.
      name: of the model's folder.
    """
    from huggingface_hub import ModelCardData

    model_class, task, guessed = HEADS[trained.head]
    front = ModelCardData(base_model=trained.model, library_name="transformers", pipeline_tag=task, tags=TAGS)
    losses = _losses(run)
    return TEMPLATE.format(
        front=front.to_yaml(),
        name=name,
        model=trained.model,
        selection=_selection(trained),
        head=FRESH_HEAD.format(texts=trained.head_texts) if trained.head_texts else "",
        guessed=guessed,
        first=losses[0],
        steps=len(losses),
        last=losses[-1],
        model_class=model_class,
        recipe="\n".join(f"| {field} | {value} |" for field, value in {**_used(trained.recipe), "seed": trained.seed}.items()),
    )


def _losses(run: Path) -> list[float]:
    lines = (run / metrics_log.NAME).read_text(encoding="utf-8").splitlines()
    return [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]


def _used(recipe: Recipe) -> dict:
    """Returns the fields of a recipe that matter to training without labels."""
    unused = {"choose", "held_out_share", "rematerialise", "shard_weights"}
    return {name: value for name, value in dataclasses.asdict(recipe).items() if name not in unused}


def _selection(trained: PreFinetuning) -> str:
    made = f", the selection whose `manifest.json` has the SHA-256 `{trained.manifest}`" if trained.manifest else ""
    return f"{trained.texts:,} texts{made}"
