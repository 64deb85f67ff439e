"""The evaluation harness on a model's folder, PyTorch not needed: `python -m experiments.harness --model folder --tasks boolq`.

Names that end in `_packaged` (boolq_packaged, piqa_packaged, ...) are tasks whose items lie in packages, for machines
without a network; `utility` stands for the eight of the paper's Table 7. The results are printed and lie in
`results.json` in the workdir.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gotd_jax import devices, terminal
from gotd_jax.data import choice_tasks
from gotd_jax.evaluation import harness
from gotd_jax.files import write_json
from gotd_jax.models.packaged import MODELS


def main(arguments: list[str] | None = None) -> None:
    """Runs the tasks that the command line names and prints their scores."""
    parser = argparse.ArgumentParser(prog="python -m experiments.harness", description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help=f"a folder, a name on the hub, or one of {', '.join(MODELS)}")
    parser.add_argument("--tasks", required=True, help="names and YAML files, with commas between them")
    parser.add_argument("--items", type=int, help="of each task, its first; all by default")
    parser.add_argument("--shots", type=int, help="solved examples before each item; as the task has it by default")
    parser.add_argument("--data_dir", type=Path, help="holds the folder ag, for ag_news_packaged")
    parser.add_argument("--workdir", type=Path, default=Path("runs/harness"))
    chosen = parser.parse_args(arguments)
    with terminal.door("\n"):
        devices.prepare()
        tasks = [task for name in chosen.tasks.split(",") for task in _tasks(name, chosen.workdir / "tasks", chosen.data_dir)]
        found = harness.evaluate(chosen.model, tasks, items=chosen.items, shots=chosen.shots)
        write_json(chosen.workdir / "results.json", {"model": chosen.model, **found})
        for task, scores in found["results"].items():
            terminal.say(f"{task}: {', '.join(_described(scores))} ({found['n-samples'][task]['effective']:,} items)")


def _tasks(name: str, folder: Path, data_dir: Path | None) -> list:
    if name == "utility":
        return [task for tasks in harness.UTILITY_TASKS.values() for task in tasks]
    if name.endswith(harness.PACKAGED):
        return [harness.export(choice_tasks.load(name.removesuffix(harness.PACKAGED), data_dir), folder)]
    return [name]


def _described(scores: dict) -> list[str]:
    """Returns `metric value ± error` of every metric."""
    named = {key.partition(",")[0]: value for key, value in scores.items() if isinstance(value, float)}
    errors = {name.removesuffix("_stderr"): value for name, value in named.items() if name.endswith("_stderr")}
    return [
        f"{name} {value:.4f}" + (f" ± {errors[name]:.4f}" if name in errors else "")
        for name, value in named.items()
        if not name.endswith("_stderr")
    ]


if __name__ == "__main__":
    main()
