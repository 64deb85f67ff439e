"""`Scorer`: a measure of the toxicity of texts, with a name and a version."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gotd_jax.progress import progress


@dataclasses.dataclass(frozen=True, eq=False)
class Scorer:
    """Scores texts for toxicity; the same texts have the same scores as long as `version` stays.

    Attributes:
      name: as `gotd_jax.evaluation.toxicity.load` takes it.
      version: changes whenever the scores could.
      rate: returns the scores of some texts, in [0, 1], [n]; called with at most `texts_per_call` of them.
      texts_per_call: how many texts `rate` gets at once.
    """

    name: str
    version: str
    rate: Callable[[Sequence[str]], np.ndarray]
    texts_per_call: int = 1024

    def score(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how toxic each text is, float32 [n] in [0, 1], higher is more toxic.

        Raises:
          ValueError: `texts` are not strings.
          RuntimeError: a score is not finite, or not in [0, 1].
        """
        texts = _checked(texts)
        parts = [np.empty(0, np.float32)]
        with progress(total=len(texts), unit="texts", step=f"toxicity by {self.name}") as bar:
            for start in range(0, len(texts), self.texts_per_call):
                block = texts[start : start + self.texts_per_call]
                parts.append(np.asarray(self.rate(block), np.float32))
                bar.update(len(block))
        scores = np.concatenate(parts)
        bad = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
        if len(bad):
            raise RuntimeError(
                f"{self.name} ({self.version}) scores {len(bad)} of {len(texts)} texts outside [0, 1], the first "
                f"{scores[bad[0]]} for text {bad[0]}. Use another scorer."
            )
        return scores


def _checked(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise ValueError("One string was given in place of several. Give a list of texts.")
    texts = list(texts)
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"Text {place} is {text!r:.60}, which is not a string. Give strings.")
    return texts
