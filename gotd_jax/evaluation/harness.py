"""The language-model evaluation harness on our models (Gao et al. 2021): its own tasks, and packaged ones as its files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from gotd_jax.data.choice_tasks import CHOICE_TASKS, ChoiceTask
from gotd_jax.files import whole_file
from gotd_jax.models.loading import load
from gotd_jax.models.model import Loaded
from gotd_jax.models.tokenizer import tokenizer_of

PACKAGED = "_packaged"  # ends the names of exported tasks, which are not quite the harness's own
UTILITY_TASKS = {  # the columns of the paper's Table 7, and the harness's names; ANLI is the mean of its rounds
    "ANLI": ("anli_r1", "anli_r2", "anli_r3"),
    "BoolQ": ("boolq",),
    "HellaSwag": ("hellaswag",),
    "LAMBADA": ("lambada_openai",),
    "PIQA": ("piqa",),
    "RACE": ("race",),
    "WiC": ("wic",),
    "WinoGrande": ("winogrande",),
}
KEPT = ("results", "versions", "n-shot", "n-samples", "higher_is_better")
BOOTSTRAPS = 1_000  # of metrics without a closed form of their error; accuracies have one


def evaluate(
    model: Loaded | str | os.PathLike,
    tasks: Sequence[str | os.PathLike],
    *,
    params: dict | None = None,
    items: int | None = None,
    shots: int | None = None,
    seed: int = 0,
) -> dict:
    """Returns the harness's results, JSON-like: `results[task]['acc,none']` and so on, `n-samples`, `versions`, ...

    Args:
      model: a causal language model with its tokeniser beside it, or its folder or hub name.
      tasks: names that the harness knows, whose data it fetches from the Hugging Face hub, and paths of YAML files such as
        `export` writes.
      params: to use instead of the model's own.
      items: number of each task's first items to evaluate; None: all.
      shots: solved examples before each item; None: the task's own number.
      seed: of the sampling.

    Raises:
      ValueError: the harness knows no task of a name, or a model cannot be evaluated.
      RuntimeError: the harness is not installed, or a task's data cannot be reached.
    """
    try:
        from lm_eval import evaluator
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise RuntimeError(
            f"The evaluation harness is missing ({error}). Install it with `pip install lm_eval==0.4.13`."
        ) from error
    from gotd_jax.evaluation.harness_model import HarnessModel

    class Manager(TaskManager):
        def load(self, *arguments, **named):
            try:
                return super().load(*arguments, **named)
            except OSError as error:  # the hub's errors are of this kind too
                raise _unreachable(tasks, error) from error

    files = [str(Path(task).resolve()) for task in tasks if _is_file(task)]
    names = [str(task) for task in tasks if not _is_file(task)]
    manager = Manager(include_defaults=bool(names))
    if unknown := [name for name in names if name not in manager.all_tasks]:
        raise ValueError(f"The harness knows no task {', '.join(unknown)}. Packaged ones are {_packaged()}, once exported.")
    loaded = model if isinstance(model, Loaded) else load(model)
    found = evaluator.simple_evaluate(
        HarnessModel(loaded, tokenizer_of(loaded), params=params, seed=seed),
        tasks=[*names, *files],
        task_manager=manager,
        limit=items,
        num_fewshot=shots,
        bootstrap_iters=BOOTSTRAPS,
        log_samples=False,
        torch_random_seed=None,
    )
    return {key: found[key] for key in KEPT}


def export(task: ChoiceTask, folder: str | os.PathLike) -> Path:
    """Returns the YAML file of a task that the harness can run without a network; its items lie beside it.

    The task is called `<name>_packaged`: its templates are ours (`gotd_jax.data.choice_tasks`), and its scores compare with
    each other and not with published ones of the harness's task.

    Args:
      task: its items are written.
      folder: of both files, `<name>_packaged.yaml` and `.jsonl`.
    """
    name = f"{task.name}{PACKAGED}"
    folder = Path(folder).resolve()
    rows = ({"context": item.context, "options": item.options, "answer": item.answer} for item in task.items)
    with whole_file(folder / f"{name}.jsonl") as partial:
        partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    content = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(folder / f"{name}.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "context",
        "doc_to_choice": "options",
        "doc_to_target": "answer",
        "metric_list": [{"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in ("acc", "acc_norm")],
        "metadata": {"version": 1.0},
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in content.items()]  # JSON is YAML
    with whole_file(folder / f"{name}.yaml") as partial:
        partial.write_text("".join(lines), encoding="utf-8")
    return folder / f"{name}.yaml"


def _is_file(task: str | os.PathLike) -> bool:
    return Path(task).suffix in (".yaml", ".yml")


def _packaged() -> str:
    return ", ".join(f"{name}{PACKAGED}" for name in CHOICE_TASKS)


def _unreachable(tasks: Sequence[str | os.PathLike], error: OSError) -> RuntimeError:
    reason = str(error).strip().partition("\n")[0]
    return RuntimeError(
        f"The data of {', '.join(map(str, tasks))} cannot be read ({type(error).__name__}: {reason}). The harness fetches its "
        "tasks' data from the Hugging Face hub: run where there is a network, or copy its cache from there, or take "
        f"packaged tasks: {_packaged()}."
    )
