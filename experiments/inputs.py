"""From a config to its texts: the task, the pool and the target, each read once a process."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator
from pathlib import Path

from experiments import domains
from gotd_jax.artifacts import fingerprint, read_json, stage, write_json
from gotd_jax.data import domain_tasks, glue, labelled, pools, samples, tasks
from gotd_jax.data.chunks import chunk
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Task

# The labelled tasks that multiple-choice ones are made of: an encoder can be fine-tuned on those.
LABELLED_CHOICES = {"ag_news": "ag", "bbc_topics": "bbc_topics"}


def available_tasks(config) -> list[str]:
    """Returns the paper's tasks that lie in `config.data_dir`, GLUE's or domain tasks; without it GLUE's, to be downloaded.

    Raises:
      ValueError: none of them lies there.
    """
    if config.data_dir is None:
        return list(glue.TABLE_4)
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
    return _task(config.data_dir, config.task.to_json())


@functools.lru_cache(maxsize=8)
def _task(data_dir: str | None, settings: str) -> Task:
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
    if name in pools.PACKAGED_TASKS:
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


def _own_task(fields: dict) -> Task:
    if not fields["test"]:
        raise ValueError(f"The task {fields['name']} has no test file. Name it with --config.task.test=...")
    columns = {key: fields[key] for key in ("text_field", "pair_field", "label_field", "kind")}
    files = {split: fields[split] or None for split in ("train", "validation", "test")}
    return labelled.load_files(fields["name"], **files, **columns, metrics=tuple(fields["metrics"]) or None)


def target(config) -> Corpus:
    """Returns the task's training texts as chunks of the pool's length, at most `config.target.most`."""
    return chunked(tasks.target_corpus(task(config)), config)


def chunked(texts: Corpus, config) -> Corpus:
    """Returns `texts` as chunks of the pool's length, at most `config.target.most`."""
    chunks = chunk(texts, config.pool.characters, short=config.target.short, long="split")
    return drawn(chunks, config.target.most, config.task.seed)


def pool(config, workdir: Path) -> Corpus:
    """Returns the candidate pool, read and chunked once and kept in the workdir."""
    return _kept_pool(config, workdir)[0]


def pool_contents(config, workdir: Path) -> list[dict]:
    """Returns what the pool holds, a dict a domain: name, source, version, files left out, texts, chunks, their fingerprint.

    The version is the package's, the TensorFlow dataset's or the hub's commit; files have none but their fingerprint.
    """
    return _kept_pool(config, workdir)[1]


def _kept_pool(config, workdir: Path) -> tuple[Corpus, list[dict]]:
    settings = config.pool.to_dict()
    del settings["relevance"]  # comes after the pool
    domains.check(settings)
    return _pool(workdir, _Frozen({**settings, "sources": domains.described(settings)}))


class _Frozen(dict):
    """A dict of JSON-like values that `functools.lru_cache` can tell from another."""

    def __hash__(self):
        return hash(fingerprint(self))


@functools.lru_cache(maxsize=2)
def _pool(workdir: Path, settings: dict) -> tuple[Corpus, list[dict]]:
    def make(folder: Path) -> None:
        contents, parts = zip(*_domains(settings, folder))
        Corpus.concatenate(parts).save(folder / "corpus.arrow")
        write_json(folder / "contents.json", contents)
        for passing in ("texts.arrow", "chunks.arrow"):
            (folder / passing).unlink()
        if domains.described(settings) != settings["sources"]:
            raise ValueError("A file of the pool changed while it was read. Start again when all of them are whole.")

    folder = stage(workdir / f"pool-{fingerprint(settings)}", settings, make)
    return Corpus.open(folder / "corpus.arrow"), read_json(folder / "contents.json")


def _domains(settings: dict, folder: Path) -> Iterator[tuple[dict, Corpus]]:
    """Yields what each domain holds and its chunks, mapped from files that the next domain replaces."""
    for domain in domains.opened(settings):
        texts = Corpus.from_records(domain.records, folder / "texts.arrow")
        chunks = chunk(
            texts, settings["characters"], short=settings["short"], long=settings["long"], path=folder / "chunks.arrow"
        )
        part = drawn(chunks, domain.most, settings["seed"])
        origin = {"name": domain.name, "source": domain.source, "version": domain.version, "left_out": domain.left_out}
        yield origin | {"texts": len(texts), "chunks": len(part), "fingerprint": part.fingerprint}, part


def drawn(corpus: Corpus, most: int | None, seed: int) -> Corpus:
    """Returns at most `most` rows of `corpus`, drawn by `seed`, in their order."""
    if most is None or len(corpus) <= most:
        return corpus
    return corpus.take(samples.drawn(len(corpus), most, seed))
