"""From a config to its texts: the task, the pool and the target, each read once a process."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from experiments import domains
from gotd_jax.artifacts import fingerprint, read_json, stage, write_json
from gotd_jax.data import domain_tasks, glue, labelled, pools, readers, samples, tasks
from gotd_jax.data.chunks import chunk, chunk_records
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Task

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


def is_packaged(name: str, data_dir: str | None) -> bool:
    """Returns whether a task is a packaged one; one of Don't-Stop-Pretraining's is read from `data_dir` where that is named."""
    return name in pools.PACKAGED_TASKS and (data_dir is None or name not in domain_tasks.DOMAIN_TASKS)


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
    chunks = chunk(texts, config.pool.characters, short=config.target.short, long=config.target.long)
    return drawn(chunks, config.target.most, config.task.seed)


def pool(config, workdir: Path) -> Corpus:
    """Returns the candidate pool, read and chunked once and kept in the workdir."""
    return _kept_pool(config, workdir)[0]


def pool_contents(config, workdir: Path) -> list[dict]:
    """Returns what the pool holds, a dict a domain: name, source, version, texts read, chunks, fingerprint of the chunks.

    The version is the package's, the TensorFlow dataset's or the hub's commit; files have none but their fingerprint.
    """
    return _kept_pool(config, workdir)[1]


def pool_is_kept(config, workdir: Path) -> bool:
    """Returns whether the candidate pool lies in the workdir, so that its sources are not read again."""
    return _pool_folder(workdir, _pool_settings(config)).is_dir()


def _kept_pool(config, workdir: Path) -> tuple[Corpus, list[dict]]:
    return _pool(workdir, _Frozen(_pool_settings(config)))


def _pool_settings(config) -> dict:
    settings = config.pool.to_dict()
    del settings["relevance"]  # comes after the pool
    domains.check(settings)
    sources = {name: readers.describe(source) for name, (source, _) in domains.sources(settings).items()}
    return {**settings, "sources": sources}


def _pool_folder(workdir: Path, settings: dict) -> Path:
    return workdir / f"pool-{fingerprint(settings)}"


class _Frozen(dict):
    """A dict of JSON-like values that `functools.lru_cache` can tell from another."""

    def __hash__(self):
        return hash(fingerprint(self))


@functools.lru_cache(maxsize=2)
def _pool(workdir: Path, settings: dict) -> tuple[Corpus, list[dict]]:
    def make(folder: Path) -> None:
        contents, parts = zip(*_domains(settings, folder, _commits(workdir)))
        Corpus.concatenate(parts).save(folder / "corpus.arrow")
        write_json(folder / "contents.json", contents)
        for passing in ("texts.arrow", "chunks.arrow"):
            (folder / passing).unlink(missing_ok=True)

    folder = stage(_pool_folder(workdir, settings), settings, make)
    return Corpus.open(folder / "corpus.arrow"), read_json(folder / "contents.json")


def _domains(settings: dict, folder: Path, known: dict[str, str]) -> Iterator[tuple[dict, Corpus]]:
    """Yields what each domain holds and its chunks, mapped from files that the next domain replaces."""
    how = {"characters": settings["characters"], "short": settings["short"], "long": settings["long"]}
    for domain in domains.opened(settings, known):
        if domain.drawn:
            texts, part = _first_chunks(domain, how, folder / "chunks.arrow")
        else:
            read = Corpus.from_records(domain.records, folder / "texts.arrow")
            texts, part = len(read), drawn(chunk(read, **how, path=folder / "chunks.arrow"), domain.most, settings["seed"])
        origin = {"name": domain.name, "source": domain.source, "version": domain.version}
        yield origin | {"texts": texts, "chunks": len(part), "fingerprint": part.fingerprint}, part


def _first_chunks(domain: domains.Domain, how: dict, path: Path) -> tuple[int, Corpus]:
    """Returns how many texts of a domain in drawn order its first `most` chunks took, and those, mapped from `path`."""
    read = itertools.count()
    records = (record for record, _ in zip(domain.records, read))
    part = Corpus.from_records(itertools.islice(chunk_records(records, **how), domain.most), path)
    texts = next(read)
    if not len(part):
        raise ValueError(
            f"None of the {texts:,} texts of {domain.name} has {how['characters']:,} characters, so there are no chunks. Lower "
            "--config.pool.characters, or set --config.pool.short=keep."
        )
    return texts, part


def _commits(workdir: Path) -> dict[str, str]:
    """Returns the commits that datasets of the hub were read at for the pools that lie in the workdir, by source."""
    contents = [entry for path in sorted(workdir.glob("pool-*/contents.json")) for entry in read_json(path)]
    return {str(entry["source"]): entry["version"] for entry in contents if entry["version"]}


def drawn(corpus: Corpus, most: int | None, seed: int) -> Corpus:
    """Returns at most `most` rows of `corpus`, drawn by `seed`, in their order."""
    if most is None or len(corpus) <= most:
        return corpus
    return corpus.take(samples.drawn(len(corpus), most, seed))
