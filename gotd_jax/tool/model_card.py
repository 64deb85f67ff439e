"""The card of a warmed-up model: what it is, what it was trained on and how, and how to load it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from gotd_jax.training import metrics_log
from gotd_jax.training.recipe import Recipe

CARD = "README.md"
# head -> (class of transformers that has it, what the hub calls what it does, which tokens its training guesses)
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
class Warmed:
    """What a model was warmed up from and on, and how.

    Attributes:
      model: the name of the model before.
      head: 'masked_lm' or 'causal_lm'.
      head_texts: of the selection that a fresh head was warmed up on first; 0 where the model had one.
      texts: of the selection.
      manifest: SHA-256 of the selection's manifest, in hex; None where it has none.
      recipe: of the training.
      seed: likewise.
    """

    model: str
    head: str
    head_texts: int
    texts: int
    manifest: str | None
    recipe: Recipe
    seed: int

    def to_dict(self) -> dict:
        """Returns all of it JSON-like."""
        return dataclasses.asdict(self)


def card(warmed: Warmed, run: Path, name: str) -> str:
    """Returns the card, Markdown with YAML before it.

    Args:
      warmed: what it says.
      run: the folder of the training's metrics, of which it has the first and the last loss.
      name: of the model's folder.
    """
    from huggingface_hub import ModelCardData

    model_class, task, guessed = HEADS[warmed.head]
    front = ModelCardData(base_model=warmed.model, library_name="transformers", pipeline_tag=task, tags=TAGS)
    losses = _losses(run)
    return TEMPLATE.format(
        front=front.to_yaml(),
        name=name,
        model=warmed.model,
        selection=_selection(warmed),
        head=FRESH_HEAD.format(texts=warmed.head_texts) if warmed.head_texts else "",
        guessed=guessed,
        first=losses[0],
        steps=len(losses),
        last=losses[-1],
        model_class=model_class,
        recipe="\n".join(f"| {field} | {value} |" for field, value in {**_used(warmed.recipe), "seed": warmed.seed}.items()),
    )


def _losses(run: Path) -> list[float]:
    lines = (run / metrics_log.NAME).read_text(encoding="utf-8").splitlines()
    return [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]


def _used(recipe: Recipe) -> dict:
    """Returns the fields of a recipe that decide what is learned without labels."""
    unused = {"choose", "held_out_share", "rematerialise", "shard_weights"}
    return {name: value for name, value in dataclasses.asdict(recipe).items() if name not in unused}


def _selection(warmed: Warmed) -> str:
    made = f", the selection whose `manifest.json` has the SHA-256 `{warmed.manifest}`" if warmed.manifest else ""
    return f"{warmed.texts:,} texts{made}"
