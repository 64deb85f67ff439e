"""`Recipe`: every number of one training run."""

from __future__ import annotations

import dataclasses
import math
import numbers

from gotd_jax.training.optimiser import AdamW

SCHEDULES = ("linear", "constant")
CHOICES = ("last", "best")
KINDS = {"int": numbers.Integral, "float": numbers.Real, "bool": bool, "str": str}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are the pre-fine-tuning of the paper's Table 8.

    The other three blocks of the paper differ from it in

    | table | training | max_length | learning_rate | epochs |
    |---|---|---|---|---|
    | 8 | pre-fine-tuning, domain tasks | 295 | 1e-4 | 1 |
    | 9 | fine-tuning, domain tasks | 256 (reviews 512) | 1e-4 | 3 or 10 |
    | 10 | pre-fine-tuning, GLUE | 295 | 1e-6 | 1 |
    | 11 | fine-tuning, GLUE | 128 | 2e-5 | 3 |

    Where the paper is silent (schedule, warm-up, clipping, betas, which weights decay, dropout) the values are those of
    the Hugging Face Trainer, which its code runs.

    Attributes:
      batch_size: examples a step, on all devices together.
      accumulate: parts in which a step's examples are read, one after another: less memory for activations, the same step.
      rematerialise: whether the backward pass computes the inside of each layer again instead of keeping it: far less
        memory, a third more time.
      shard_weights: whether each device keeps its share of parameters, gradients and moments, and not all of them.
      max_length: tokens an example is cut to, special tokens included.
      epochs: passes over the examples.
      max_steps: after which training ends, if `epochs` are more; the schedule runs over these. 0 sets no bound.
      learning_rate: the highest; reached after the warm-up.
      schedule: 'linear' (down to 0 after the last step) or 'constant'.
      warmup_share: share of all steps over which the learning rate first rises from 0.
      weight_decay: of matrices and embeddings; biases and layer norms do not decay.
      beta1: decay of Adam's first moment.
      beta2: decay of Adam's second moment.
      adam_epsilon: added to the root of the second moment.
      clip_norm: gradients longer than this are shortened to it; 0 leaves them.
      mask_share: share of tokens that a masked language model has to predict.
      dropout: whether the model's own dropout acts.
      choose: which epoch's parameters a fine-tuning returns: the 'last', or the 'best' on validation examples.
      held_out_share: share of the training examples to validate on where 'best' is asked for and the task has no
        validation split.
    """

    batch_size: int = 64
    accumulate: int = 1
    rematerialise: bool = False
    shard_weights: bool = False
    max_length: int = 295
    epochs: int = 1
    max_steps: int = 0
    learning_rate: float = 1e-4
    schedule: str = "linear"
    warmup_share: float = 0.0
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0
    mask_share: float = 0.15
    dropout: bool = True
    choose: str = "last"
    held_out_share: float = 0.1

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, KINDS[field.type]):
                raise ValueError(f"Recipe.{field.name} is {value!r}. It must be of the type {field.type}.")
        for name, known in (("schedule", SCHEDULES), ("choose", CHOICES)):
            if getattr(self, name) not in known:
                raise ValueError(f"Recipe.{name} is {getattr(self, name)!r}. It can be: {', '.join(known)}.")
        for name in ("batch_size", "accumulate", "max_length", "epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Recipe.{name} is {getattr(self, name)}. It must be above 0.")
        if self.max_steps < 0:
            raise ValueError(f"Recipe.max_steps is {self.max_steps}. It is a number of steps, or 0 for no bound.")
        if self.max_steps and self.choose == "best":
            raise ValueError(
                f"Recipe.max_steps is {self.max_steps}, and of whole epochs the 'best' is chosen. Choose the 'last'."
            )
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"Recipe.accumulate is {self.accumulate} and does not divide the batch_size of {self.batch_size}. "
                "Choose a divisor."
            )
        for name in ("warmup_share", "mask_share", "held_out_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"Recipe.{name} is {getattr(self, name)}. It is a share: at least 0 and below 1.")

    @property
    def optimiser(self) -> AdamW:
        """The part of the recipe that a compiled training step depends on."""
        return AdamW(self.beta1, self.beta2, self.adam_epsilon, self.weight_decay, self.clip_norm)

    def steps(self, steps_per_epoch: int) -> int:
        """Returns how many steps the training takes."""
        steps = steps_per_epoch * self.epochs
        return min(steps, self.max_steps) if self.max_steps else steps

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Returns the learning rate of step `step` (from 0) of `steps`.

        It is 0 at the first step of a warm-up and one step above 0 at the last of a linear decay, as in the Hugging Face
        Trainer.
        """
        warmup = math.ceil(steps * self.warmup_share)
        if step < warmup:
            return self.learning_rate * step / warmup
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (steps - step) / (steps - warmup)
