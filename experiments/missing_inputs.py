"""The inputs of a sweep that this machine lacks: named in one sentence, in seconds, before any long step begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from experiments import cell_models, domains, named_tasks
from gotd_jax.data import domain_tasks, glue, network, published_pools
from gotd_jax.data.prompts import packaged_prompts
from gotd_jax.models.lookup import folder_of
from gotd_jax.models.packaged import MODELS
from gotd_jax.pipeline.pool import is_kept
from gotd_jax.pipeline.sources import Source

KINDS = ("model", "task", "prompts", "pool")  # in the order in which a person would look for them
HUB = ("model", "pool")


def check(config, cells: Sequence, workdir: Path) -> None:
    """Raises ValueError with one sentence that names every missing input, and how to give it.

    Args:
      config: of the sweep.
      cells: its cells' configs.
      workdir: where stages are kept: a pool that was read before need not lie where it was.
    """
    found = dict.fromkeys(lack for cell in cells for lack in _of(cell, config, workdir))
    if found:
        of_the_hub = any(kind in HUB for kind, _, _ in found) and not network.hub_answers()
        offline = ", and the Hugging Face hub does not answer" if of_the_hub else ""
        raise ValueError(f"This machine lacks {_joined(_by_remedy(found))}{offline}.")


def _of(cell, config, workdir: Path) -> Iterator[tuple[str, str, str]]:
    """Yields (kind, name, remedy) of each input that one cell lacks."""
    yield from _models(cell, config)
    yield from _tasks(cell)
    yield from _prompts(cell)
    yield from _pools(cell, workdir)


def _models(cell, config) -> Iterator[tuple[str, str, str]]:
    wanted = cell_models.read_by(cell)
    if cell.evaluation == "toxicity":
        roles = ("chooser", "judge", "second_judge")
        wanted |= {f"detox.{role}": cell.detox[role] for role in roles if "/" in cell.detox[role]}
    for field, name in sorted(wanted.items(), reverse=True):
        if not _is_at_hand(name):
            own = _value(config, field) == name  # else the sweep sets it, and the command line cannot
            yield "model", name, f"--config.{field}=FOLDER" if own else f"as a folder of that name in {Path.cwd()}"


def _is_at_hand(name: str) -> bool:
    if name in MODELS or Path(name).expanduser().exists() or network.hub_answers():
        return True  # or a fault that is reported when it is opened
    try:
        folder_of(name)
    except ValueError:
        return False
    return True


def _tasks(cell) -> Iterator[tuple[str, str, str]]:
    name = named_tasks.LABELLED_CHOICES.get(cell.task.name, cell.task.name)
    read = cell.evaluation != "toxicity" and not cell.target.domains and name != "boolq"
    if not read or cell.task.train or named_tasks.is_packaged(name, cell.data_dir):
        return
    if name in glue.GLUE:
        if not glue.is_available(name, cell.data_dir):
            yield "task", name, _where(cell, "GLUE's folders")
    elif name in domain_tasks.DOMAIN_TASKS and (cell.data_dir is None or name not in domain_tasks.available(cell.data_dir)):
        yield "task", name, _where(cell, "Don't-Stop-Pretraining's folders")


def _where(cell, folders: str) -> str:
    if cell.data_dir is None:
        return f"--config.data_dir=FOLDER with {folders}"
    return f"put {folders} into {cell.data_dir}, or run those that are there with --config.only_available=True"


def _prompts(cell) -> Iterator[tuple[str, str, str]]:
    settings = cell.detox
    if cell.evaluation == "toxicity" and not settings.prompts_file and 2 * settings.prompts > len(packaged_prompts()):
        yield "prompts", "of RealToxicityPrompts", "--config.detox.prompts_file=prompts.jsonl"


def _pools(cell, workdir: Path) -> Iterator[tuple[str, str, str]]:
    named = [name for name in cell.pool.named if name not in cell.pool.domains]
    lost = [name for name in named if published_pools.find(name).source is None]
    if not named or (not lost and network.hub_answers()):
        return  # a pool that the hub does not give is reported when it is opened
    chunking = domains.chunking(cell.pool)
    for name in named:
        source = None if name in lost else _source(name, cell)
        if source is None or not (network.hub_answers() or is_kept(source, chunking, workdir) or _opens(source)):
            yield "pool", name, "--config.pool.domains.NAME='FILES'"


def _source(name: str, cell) -> Source:
    (source,) = domains.sources({**cell.pool.to_dict(), "packaged": (), "named": (name,), "domains": {}})
    return source


def _opens(source: Source) -> bool:
    try:
        source.opened({})
    except ValueError:
        return False
    return True


def _value(config, field: str):
    for part in field.split("."):
        config = config[part]
    return config


def _by_remedy(found: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yields 'the tasks A and B (remedy)' for each remedy and kind, by kind."""
    groups: dict[tuple[str, str], list[str]] = {}
    for kind, name, remedy in sorted(found, key=lambda lack: KINDS.index(lack[0])):
        groups.setdefault((kind, remedy), []).append(name)
    for (kind, remedy), names in groups.items():
        label = kind if len(names) == 1 or kind == "prompts" else f"{kind}s"
        yield f"the {label} {_joined(names)} ({remedy})"


def _joined(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
