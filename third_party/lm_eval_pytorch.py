"""The evaluation harness's PyTorch back-end: `lm_eval` 0.4.13 (MIT), `torch` 2.13 (BSD-3-Clause), `accelerate` (Apache-2.0).

The reference for the scores of `gotd_jax.evaluation.harness_model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def model(folder: Path):
    """Returns the harness's own model of a Hugging Face folder, float32 on the CPU, one request at a time."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1)


def requests(kind: str, arguments: Sequence[tuple]) -> list:
    """Returns the harness's requests of a kind ('loglikelihood', 'loglikelihood_rolling', 'generate_until')."""
    from lm_eval.api.instance import Instance

    return [Instance(request_type=kind, doc={}, arguments=each, idx=number) for number, each in enumerate(arguments)]


def results(harness_model, files: Sequence[Path], items: int | None = None) -> dict:
    """Returns the scores of task files under a model, by task."""
    from lm_eval import evaluator
    from lm_eval.tasks import TaskManager

    tasks = [str(file) for file in files]
    manager = TaskManager(include_defaults=False)
    return evaluator.simple_evaluate(harness_model, tasks=tasks, task_manager=manager, limit=items, log_samples=False)[
        "results"
    ]
