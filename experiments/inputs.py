"""From a config to its texts: the task, the pool and the target, each read once a process."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from pathlib import Path

from experiments import domains
from gotd_jax.data import domain_tasks, glue, labelled_examples, pools, readers, sampling, tasks
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Task
from gotd_jax.pipeline import pool as pipeline_pool
from gotd_jax.pipeline.pool import Pool
from gotd_jax.pipeline.sources import Source
from gotd_jax.terminal import shown

# The labelled tasks that multiple-choice ones are made of: an encoder can be fine-tuned on those.
LABELLED_CHOICES = {"ag_news": "ag", "bbc_topics": "bbc_topics"}


def available_tasks(config) -> list[str]:
    """Returns the paper's tasks that lie in `config.data_dir`, GLUE's or domain tasks; without it all of one kind.

    Raises:
      ValueError: none of them lies there.
    """
    if config.data_dir is None:
        return list(domain_tasks.DOMAIN_TASKS if config.task.name in domain_tasks.DOMAIN_TASKS else glue.TABLE_4)
    at_hand = [name for name in glue.available(config.data_dir) if name in glue.TABLE_4]
    at_hand = at_hand or [name for name in domain_tasks.available(config.data_dir) if name in domain_tasks.DOMAIN_TASKS]
    if not at_hand:
        folders = [f"{name}/train.tsv" for name in glue.TABLE_4] + [f"{name}/train.jsonl" for name in domain_tasks.DOMAIN_TASKS]
        raise ValueError(
            f"None of the paper's tasks lies in {config.data_dir}. Put GLUE's own folders there, or Don't-Stop-Pretraining's: "
            f"{', '.join(folders)}."
        )
    return at_hand


def task(config) -> Task:
    """Returns the config's task, its splits drawn by `config.task.seed`: train to `config.task.labels`, test to `.tested`."""
    fields = config.task.to_dict()
    return _task(config.data_dir, json.dumps(fields), stamp(*_files(fields, config.data_dir)))


def stamp(*paths: str | Path) -> tuple[tuple, ...]:
    """Returns what tells, without reading them, whether files are still the same; a folder stands for the files in it."""
    found = []
    for path in (Path(path).expanduser() for path in paths):
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                state = file.stat()
                found.append((str(file), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    return tuple(found)


def _files(fields: dict, data_dir: str | None) -> list[str | Path]:
    """Returns the files that a task is read from, or its folder; nothing where it is packaged or downloaded."""
    own = [fields[split] for split in ("train", "validation", "test") if fields[split]]
    if own or data_dir is None:
        return own
    name = LABELLED_CHOICES.get(fields["name"], fields["name"])
    return [Path(data_dir, glue.GLUE[name].folder if name in glue.GLUE else name)]


@functools.lru_cache(maxsize=8)
def _task(data_dir: str | None, settings: str, stamped: tuple) -> Task:
    fields = json.loads(settings)
    whole = _whole_task(fields, data_dir)
    train, test = (
        tasks.draw(examples, fields[most], fields["seed"])
        for examples, most in ((whole.train, "labels"), (whole.test, "tested"))
    )
    name = whole.test_split if len(test) == len(whole.test) else f"{len(test):,} of {whole.test_split}"
    return dataclasses.replace(whole, train=train, test=test, test_split=name)


def _whole_task(fields: dict, data_dir: str | None) -> Task:
    name = LABELLED_CHOICES.get(fields["name"], fields["name"])
    if fields["train"]:
        return _own_task(fields)
    if is_packaged(name, data_dir):
        return pools.PACKAGED_TASKS[name]()
    if name in glue.GLUE:
        return glue.load(name, data_dir)
    if data_dir is None:
        raise ValueError(
            f"There is no task {name!r}. It may be a packaged one ({', '.join(pools.PACKAGED_TASKS)}), one of GLUE's "
            f"({', '.join(glue.GLUE)}), a folder in --config.data_dir, or your own: --config.task.train and "
            "--config.task.test name its files."
        )
    return domain_tasks.load(name, data_dir)


def tested(config) -> Corpus:
    """Returns the texts of the task's whole test split, which no chunk of a pool may hold."""
    names = ("name", "train", "validation", "test", "text_field", "pair_field", "label_field", "kind", "metrics")
    fields = {name: config.task[name] for name in names}
    return _tested(config.data_dir, json.dumps(fields), stamp(*_files(fields, config.data_dir)))


@functools.lru_cache(maxsize=8)
def _tested(data_dir: str | None, settings: str, stamped: tuple) -> Corpus:
    return _whole_task(json.loads(settings), data_dir).test.corpus


def is_packaged(name: str, data_dir: str | None) -> bool:
    """Returns whether a task is a packaged one; one of Don't-Stop-Pretraining's is read from `data_dir` where that is named."""
    return name in pools.PACKAGED_TASKS and (data_dir is None or name not in domain_tasks.DOMAIN_TASKS)


def _own_task(fields: dict) -> Task:
    if not fields["test"]:
        raise ValueError(f"The task {fields['name']} has no test file. Name it with --config.task.test=...")
    columns = {key: fields[key] for key in ("text_field", "pair_field", "label_field", "kind")}
    files = {split: fields[split] or None for split in ("train", "validation", "test")}
    return labelled_examples.load_files(fields["name"], **files, **columns, metrics=tuple(fields["metrics"]) or None)


def target(config) -> Corpus:
    """Returns the task's training texts as chunks of the pool's length, at most `config.target.most`."""
    return chunked(tasks.target_corpus(task(config)), config)


def chunked(texts: Corpus, config) -> Corpus:
    """Returns `texts` as chunks of the pool's length, at most `config.target.most`."""
    chunks = chunk(texts, config.pool.characters, short=config.target.short, long=config.target.long)
    return drawn(chunks, config.target.most, config.task.seed)


def pool(config, workdir: Path) -> Corpus:
    """Returns the candidate pool: the chunks of all domains, or as many as are drawn by `config.pool.seed`."""
    return _read_pool(config, workdir).corpus


def pool_contents(config, workdir: Path) -> list[dict]:
    """Returns what each source of the pool holds; see `gotd_jax.pipeline.pool.Pool`."""
    return _read_pool(config, workdir).contents


def _read_pool(config, workdir: Path) -> Pool:
    settings = config.pool.to_dict()
    domains.check(settings)
    sources, chunking = domains.sources(settings), domains.chunking(settings)
    for source in sources:
        if isinstance(source, Source) and not pipeline_pool.is_kept(source, chunking, workdir):
            for said in readers.remarks(f"the domain {source.name}", source.place):
                print(shown(said), file=sys.stderr)
    return pipeline_pool.read(sources, chunking, workdir)


def drawn(corpus: Corpus, most: int | None, seed: int) -> Corpus:
    """Returns at most `most` rows of `corpus`, drawn by `seed`, in their order."""
    if most is None or len(corpus) <= most:
        return corpus
    return corpus.take(sampling.drawn(len(corpus), most, seed))
