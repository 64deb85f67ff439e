"""From a config to its texts: the task, the pool and the target, each read once a process."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from pathlib import Path

import numpy as np

from experiments import domains
from gotd_jax import checksums
from gotd_jax.artifacts import fingerprint, stage
from gotd_jax.data import domain_tasks, glue, labelled_examples, pools, sampling, tasks
from gotd_jax.data.chunks import chunk, chunk_records
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tasks import Task
from gotd_jax.files import read_json, write_json

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
                found.append((str(file), *checksums.state(file)))
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
    """Returns the candidate pool: the chunks of all domains, or as many as are drawn by `config.pool.seed`.

    Every domain is read and chunked once and kept whole in the workdir, for every number and seed to draw from.
    """
    return _kept_pool(config, workdir)[0]


def pool_contents(config, workdir: Path) -> list[dict]:
    """Returns what the pool holds, a dict a domain: name, source, version, files left out, texts, chunks, their fingerprint.

    The version is the package's, the TensorFlow dataset's or the hub's commit; files have none but their fingerprint.
    """
    return _kept_pool(config, workdir)[1]


def kept_domains(config, workdir: Path) -> set[str]:
    """Returns the pool's domains whose chunks lie in the workdir, so that their sources are not read again."""
    return {name for name, folder in _domain_folders(workdir, _identities(config)).items() if folder.is_dir()}


def _kept_pool(config, workdir: Path) -> tuple[Corpus, list[dict]]:
    return _pool(workdir, _Frozen(_pool_settings(config)), _Frozen(_identities(config)))


def _identities(config) -> dict[str, dict]:
    return domains.identities(_pool_settings(config))


def _pool_settings(config) -> dict:
    settings = config.pool.to_dict()
    del settings["relevance"]  # comes after the pool
    domains.check(settings)
    return settings


def _domain_folders(workdir: Path, identities: dict[str, dict]) -> dict[str, Path]:
    return {name: workdir / "domains" / f"{name}-{fingerprint(of)}" for name, of in identities.items()}


class _Frozen(dict):
    """A dict of JSON-like values that `functools.lru_cache` can tell from another."""

    def __hash__(self):
        return hash(fingerprint(self))


@functools.lru_cache(maxsize=8)
def _pool(workdir: Path, settings: dict, identities: dict) -> tuple[Corpus, list[dict]]:
    folders = _domain_folders(workdir, identities)
    missing = [name for name, folder in folders.items() if not folder.exists()]
    domains.opened(settings, missing, _commits(workdir))  # or a fault ends it here
    kept = {name: _part(name, folder, identities[name], settings) for name, folder in folders.items()}
    parts = {name: Corpus.open(folder / "chunks.arrow") for name, folder in kept.items()}
    contents = [read_json(folder / "contents.json") for folder in kept.values()]
    return Corpus.concatenate(list(parts.values())), contents


def _part(name: str, folder: Path, identity: dict, settings: dict) -> Path:
    """Returns the folder of the chunks of a domain that the pool takes: all, or a sample drawn by the pool's seed."""
    whole = functools.partial(_domain, name, folder, identity, settings)
    most, contents = domains.most_of(name, settings), read_json(whole() / "contents.json")
    if most is None or contents["chunks"] <= most:
        return folder
    drawing = {"domain": folder.name, "most": most, "seed": settings["seed"]}

    def make(partial: Path) -> None:
        chunks = Corpus.open(whole() / "chunks.arrow")
        kept = np.zeros(len(chunks), bool)
        kept[sampling.drawn(len(chunks), most, settings["seed"])] = True
        part = chunks.keep(kept, partial / "chunks.arrow")
        write_json(partial / "contents.json", contents | {"chunks": len(part), "fingerprint": part.fingerprint})

    return stage(folder.parents[1] / "samples" / f"{name}-{fingerprint(drawing)}", drawing, make, kind="samples")


def _domain(name: str, folder: Path, identity: dict, settings: dict) -> Path:
    """Returns the folder of all chunks of a domain, and of what they were read from."""

    def make(partial: Path) -> None:
        (domain,) = domains.opened(settings, [name], _commits(folder.parents[1]))
        texts, chunks = _chunks(domain, {key: settings[key] for key in ("characters", "short", "long")}, partial)
        origin = {"name": name, "source": domain.source, "version": domain.version, "left_out": domain.left_out, "texts": texts}
        write_json(partial / "contents.json", origin | {"chunks": len(chunks), "fingerprint": chunks.fingerprint})
        (partial / "texts.arrow").unlink(missing_ok=True)
        if domains.identities(settings)[name] != identity:
            raise ValueError(f"A file of the domain {name} changed while it was read. Start again when it is whole.")

    return stage(folder, identity, make, kind="domains")


def _chunks(domain: domains.Domain, how: dict, folder: Path) -> tuple[int, Corpus]:
    """Returns how many texts of a domain were read, and their chunks, mapped from `folder`."""
    if domain.first is None:
        texts = Corpus.from_records(domain.records, folder / "texts.arrow")
        return len(texts), chunk(texts, **how, path=folder / "chunks.arrow")
    read = itertools.count()
    records = (record for record, _ in zip(domain.records, read))
    chunks = Corpus.from_records(itertools.islice(chunk_records(records, **how), domain.first), folder / "chunks.arrow")
    texts = next(read)
    if not len(chunks):
        raise ValueError(
            f"None of the {texts:,} texts of {domain.name} has {how['characters']:,} characters, so there are no chunks. Lower "
            "--config.pool.characters, or set --config.pool.short=keep."
        )
    return texts, chunks


def _commits(workdir: Path) -> dict[str, str]:
    """Returns the commits that datasets of the hub were read at for the domains that lie in the workdir, by source."""
    contents = [read_json(path) for path in sorted(workdir.glob("domains/*/contents.json"))]
    return {str(entry["source"]): entry["version"] for entry in contents if entry["version"]}


def drawn(corpus: Corpus, most: int | None, seed: int) -> Corpus:
    """Returns at most `most` rows of `corpus`, drawn by `seed`, in their order."""
    if most is None or len(corpus) <= most:
        return corpus
    return corpus.take(sampling.drawn(len(corpus), most, seed))
