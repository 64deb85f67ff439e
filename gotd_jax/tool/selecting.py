"""`gotd select`: from a request to a folder of chosen text."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np

from gotd_jax import ot
from gotd_jax.artifacts import say_outdated
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.sampling import drawn
from gotd_jax.data.tokens import count_tokens, load_tokenizer
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.scorer import Scorer
from gotd_jax.files import whole_folder
from gotd_jax.methods import METHODS, Problem, Selection
from gotd_jax.models.lookup import folder_of
from gotd_jax.ot import Potentials
from gotd_jax.pipeline import candidates as pipeline_candidates
from gotd_jax.pipeline.candidates import Candidates
from gotd_jax.pipeline.embedder import Embedder
from gotd_jax.pipeline.losses import TargetLosses
from gotd_jax.report import page
from gotd_jax.tool import dataset_card, findings, language_model, package_files, request_texts, target_health
from gotd_jax.tool.allocation import Allocation, allocate
from gotd_jax.tool.chosen import Chosen
from gotd_jax.tool.model_reading import measure_reading
from gotd_jax.tool.report_inputs import SAMPLE, ReportInputs, TargetSelection
from gotd_jax.tool.request import Request
from gotd_jax.tool.request_texts import RequestTexts

LANGUAGES = 1000  # candidates whose language is identified


def select(request: Request, out: str | Path, *, work: str | Path | None = None) -> Chosen:
    """Returns the selection that `request` asks for, written to the folder `out`, whole or not at all.

    Args:
      request: pool, target, budget and how to choose.
      out: must not exist.
      work: where texts and embeddings are kept for the next selection from the same pool; `<out>.work` by default. A
        stopped selection goes on from there.

    Raises:
      ValueError: `out` exists, or the request cannot be met, for the reason in the message.
      RuntimeError: the solver did not converge.
    """
    out = check_free(out)
    work = Path(work or f"{out}.work")
    say_outdated(work)
    tokenizer = load_tokenizer(folder_of(request.tokenizer or request.model))
    scorer = toxicity.load(request.scorer) if request.scorer else None
    losses = language_model.losses_of(request, work)
    told = {
        "scorer": scorer and {"name": scorer.name, "version": scorer.version},
        "language_model": losses and {"name": request.language_model, "fingerprint": losses.published().fingerprint},
    }
    embedder = Embedder(work=work, **request.embedding)
    embedder.check()
    texts = request_texts.read(request, work)
    read = measure_reading(texts, request, embedder, work)
    options = {"similarity": request.near_duplicates, "seed": request.seed, "unreadable": read.unreadable}
    candidates = pipeline_candidates.find(texts.pool, texts.tested, work, **options)
    embedder = embedder.relative_to(_embedded_pool(request, candidates.corpus))
    targets = {name: _usable_texts(corpus, read.readable[name]) for name, corpus in texts.targets.items()}
    problems = _problems(request, texts, targets, candidates.corpus, embedder, scorer, losses, work)
    allocation = allocate(problems, request, functools.partial(count_tokens, tokenizer))
    told["read"] = read.to_dict()
    inputs = _report_inputs(request, texts, targets, candidates, allocation, embedder, told, list(read.warnings()), work)
    with whole_folder(out) as folder:
        package_files.write_parts(folder, candidates, allocation, list(targets), parts=request.parts, format=request.format)
        package_files.write_pool(folder, texts.pool, candidates, allocation)
        package_files.write_targets(folder, targets)
        np.save(folder / "embeddings.npy", inputs.embed_rows(inputs.rows))
        for number, target in enumerate(inputs.targets):
            target.potentials.save(folder / f"potentials-{number}.safetensors")
        found = findings.find(inputs)
        page.write(found.to_dict(), folder / "report.html")
        dataset_card.write(folder, found.manifest)
        package_files.write_manifest(folder, found.manifest)
    return Chosen(out)


def check_free(out: str | Path) -> Path:
    """Returns `out` as a path; raises ValueError if something is there."""
    out = Path(out)
    if out.exists():
        raise ValueError(f"{out} exists. Name another folder, or move it away.")
    return out


def _problems(
    request: Request,
    texts: RequestTexts,
    targets: dict[str, Corpus],
    pool: Corpus,
    embedder: Embedder,
    scorer: Scorer | None,
    losses: TargetLosses | None,
    work: Path,
) -> list[Problem]:
    """Returns the problem of each target."""
    scores = functools.partial(toxicity.kept_scores, pool, scorer, work / "toxicity") if scorer else None
    also = {"away": texts.away, "reference": texts.reference, "home": request.home, "toxicity": scores}
    read = {name: losses and functools.partial(losses.before_and_after, pool, target, name) for name, target in targets.items()}
    return [
        Problem(pool, target, embedder.of, target_weights=_target_weights(target, request), losses=read[name], **also)
        for name, target in targets.items()
    ]


def _target_weights(target: Corpus, request: Request) -> np.ndarray | None:
    """Returns the mass of each text of targets that are one problem, float64 [m]; None where each target is a problem."""
    if not request.together:
        return None
    names = [name for name, _ in request_texts.target_places(request)]
    shares, held = dict(zip(names, request.shares or len(names) * (1.0,))), target.count_domains()
    weights = np.array([shares[name] / held[name] for name in target.domains])
    return weights / weights.sum()


def _report_inputs(
    request: Request,
    texts: RequestTexts,
    targets: dict[str, Corpus],
    candidates: Candidates,
    allocation: Allocation,
    embedder: Embedder,
    told: dict,
    warnings: list[str],
    work: Path,
) -> ReportInputs:
    corpus = candidates.corpus
    embedded = _embeds_all(request, corpus)

    def embed_rows(rows: np.ndarray) -> np.ndarray:
        return np.asarray(embedder.of(corpus)[rows] if embedded else embedder.of(corpus.take(rows)), np.float32)

    seen = embedder.of(_embedded_pool(request, corpus))
    target_selections, healths = [], []
    spoken = corpus.texts(drawn(len(corpus), LANGUAGES, request.seed))
    for (name, target), share, selection in zip(targets.items(), request.budget_shares, allocation.selections):
        embeddings = np.asarray(embedder.of(target), np.float32)
        potentials = _potentials(selection, seen, embeddings, request)
        given = texts.targets[name]
        target_selections.append(TargetSelection(name, target, embeddings, share, selection.values, potentials, given))
        in_pool = pipeline_candidates.count_target_texts(corpus, given, work)
        healths.append(target_health.examine(name, given, embedder.of(given), seen, spoken, in_pool=in_pool))
    return ReportInputs(
        pool_domains=texts.pool.count_domains(),
        candidates=corpus,
        embed_rows=embed_rows,
        embedded=embedded,
        targets=tuple(target_selections),
        rows=allocation.rows,
        served=allocation.served,
        healths=tuple(healths),
        manifest=_manifest(request, texts, candidates, allocation, embedder, told, target_selections, healths, warnings),
        seed=request.seed,
    )


def _embeds_all(request: Request, corpus: Corpus) -> bool:
    return "embeddings" in METHODS[request.method].reads or len(corpus) <= SAMPLE


def _embedded_pool(request: Request, corpus: Corpus) -> Corpus:
    """Returns the candidates that vectors are centred or whitened by: all that are embedded, or the report's sample."""
    return corpus if _embeds_all(request, corpus) else corpus.take(drawn(len(corpus), SAMPLE, request.seed))


def _usable_texts(target: Corpus, readable: np.ndarray) -> Corpus:
    """Returns the readable texts of a target; if all are one text, it is kept once, so that there is a problem to solve."""
    target = target if readable.all() else target.take(np.flatnonzero(readable))
    return target.take([0]) if len(np.unique(target.hashes)) == 1 else target


def _potentials(selection: Selection, seen: np.ndarray, targets: np.ndarray, request: Request) -> Potentials:
    """Returns the method's potentials, or those of a solve on the candidates that are embedded, without the time they took."""
    found = selection.potentials or ot.solve(seen, targets, epsilon=request.epsilon, sample=SAMPLE, seed=request.seed)
    journal = tuple(dataclasses.replace(line, seconds=0.0) for line in found.journal)
    return dataclasses.replace(found, seconds=0.0, journal=journal)


def _manifest(request, texts, candidates, allocation, embedder, told, target_selections, healths, warnings) -> dict:
    chosen = candidates.corpus.take(allocation.rows)
    return {
        "format": 1,
        "versions": package_files.versions(),
        "request": request.to_dict(),
        "method": METHODS[request.method].identity,
        "inputs": texts.inputs,
        "model": {"name": request.model, **embedder.settings},
        "tokenizer": request.tokenizer or request.model,
        **told,
        "pool": {**candidates.counts, "domains": texts.pool.count_domains(), "fingerprint": texts.pool.fingerprint},
        "tested_texts": 0 if texts.tested is None else len(texts.tested),
        "targets": [
            {
                "name": target.name,
                "texts": len(target.corpus),
                "in_pool": healths[number].in_pool,
                "share": target.share,
                "selected": int((allocation.served == number).sum()),
                "tokens": int(allocation.tokens[allocation.served == number].sum()),
                "fingerprint": target.corpus.fingerprint,
                "method": package_files.without_seconds(selection.info),
                "potentials": {
                    key: getattr(target.potentials, key) for key in ("cost", "marginal_error", "epsilon", "solved_on")
                },
            }
            for number, (target, selection) in enumerate(zip(target_selections, allocation.selections))
        ],
        "selected": {
            "chunks": len(allocation.rows),
            "tokens": int(allocation.tokens.sum()),
            "domains": chosen.count_domains(),
            "fingerprint": chosen.fingerprint,
        },
        "warnings": [*texts.remarks, *warnings, *(warning for health in healths for warning in health.warnings)],
    }
