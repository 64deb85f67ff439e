"""`gotd verify` and `gotd replay`: whether a selection agrees with its manifest, and whether it can be made again."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gotd_jax.checksums import sha256
from gotd_jax.data.corpus import content_hash
from gotd_jax.methods import FOLDERS, METHODS
from gotd_jax.tool import request_texts
from gotd_jax.tool.budget import Budget
from gotd_jax.tool.chosen import Chosen
from gotd_jax.tool.package_files import MANIFEST, versions
from gotd_jax.tool.request import Request


@dataclasses.dataclass(frozen=True)
class Checked:
    """A check and the faults that it found.

    Attributes:
      claim: a sentence that is true where there are no faults.
      faults: sentences; empty where all is well.
    """

    claim: str
    faults: tuple[str, ...]


def verify(chosen: Chosen) -> list[Checked]:
    """Returns the checks of a selection and the faults they found: files, rows, ids, budget, values, convergence.

    Nothing outside of its folder is read: see `changed` for its sources and its method.
    """
    checks: tuple[tuple[str, Callable[[Chosen], Iterator[str]]], ...] = (
        ("Every file is there, with the bytes that the manifest names.", _files),
        ("The parts hold as many chunks as the manifest says, ranked from 0 on, none twice.", _ranks),
        ("Every chosen text is the one in the pool, with its id and domain, and was a candidate.", _texts),
        ("The selection fits the budget.", _budget),
        ("Every value is the pool's, and of potentials without noise none that was left is lower.", _values),
        ("The transport problem was solved as closely as was asked.", _convergence),
    )
    found = []
    for claim, faults in checks:
        found.append(Checked(claim, tuple(faults(chosen))))
        if found[-1].faults and faults in (_files, _ranks):
            break  # the checks after it would read damaged files
    return found


def changed(chosen: Chosen) -> list[str]:
    """Returns a sentence for each source of a selection, and for its method, that is not as it was when it was made."""
    method = chosen.manifest["request"]["method"]
    faults = request_texts.changed(chosen.manifest["inputs"])
    if method not in METHODS:
        faults.append(f"The method {method} is missing. Name the folder of its file in {FOLDERS}.")
    elif METHODS[method].identity != chosen.manifest.get("method", method):
        faults.append(f"The file of the method {method} has changed.")
    return faults


def replay(chosen: Chosen, out: str | Path | None = None, *, work: str | Path | None = None) -> list[str]:
    """Makes a selection again from its inputs, and returns the names of the files that came out differently.

    Args:
      chosen: the selection.
      out: where the new one is written; by default it is not kept.
      work: where texts and embeddings are kept; by default nothing is kept, and nothing kept before is used.

    Raises:
      ValueError: an input or the method has changed, or packages have other versions than the selection was made with.
    """
    from gotd_jax.tool.selecting import select

    faults = changed(chosen)
    now = versions()
    faults += [
        f"{name} is {now[name]}, and was {version}."
        for name, version in chosen.manifest["versions"].items()
        if now[name] != version
    ]
    if faults:
        raise ValueError(f"{chosen.folder} cannot be made again. {' '.join(faults)} Restore its sources and packages.")
    request = Request(**chosen.manifest["request"])
    with tempfile.TemporaryDirectory(dir=chosen.folder.parent, prefix=".replay-") as passing:
        made = select(request, out or Path(passing) / "made", work=work or Path(passing) / "work")
        names = sorted({*chosen.manifest["files"], *made.manifest["files"]})
        differing = [name for name in names if chosen.manifest["files"].get(name) != made.manifest["files"].get(name)]
        same = (chosen.folder / MANIFEST).read_bytes() == (made.folder / MANIFEST).read_bytes()
        return differing if same or differing else [MANIFEST]


def _files(chosen: Chosen) -> Iterator[str]:
    for name, written in chosen.manifest["files"].items():
        path = chosen.folder / name
        if not path.is_file():
            yield f"{name} is missing."
        elif path.stat().st_size != written["bytes"]:
            yield f"{name} has {path.stat().st_size:,} bytes and had {written['bytes']:,}."
        elif sha256(path) != written["sha256"]:
            yield f"{name} has other bytes than were written."
    for path in sorted(chosen.folder.glob("part-*")):
        if path.name not in chosen.manifest["files"]:
            yield f"{path.name} is not of this selection, and would be loaded with it."


def _ranks(chosen: Chosen) -> Iterator[str]:
    table = chosen.table
    if table.num_rows != len(chosen):
        yield f"The parts hold {table.num_rows:,} chunks; the manifest says {len(chosen):,}."
    if table["rank"].to_pylist() != list(range(table.num_rows)):
        yield "The ranks do not run from 0 on in order."
    again = table.num_rows - len(set(table["row"].to_pylist()))
    if again:
        yield f"{again:,} chunks are chosen twice."


def _texts(chosen: Chosen) -> Iterator[str]:
    table, pool = chosen.table, chosen.pool.take(chosen.table["row"])
    for name in ("id", "domain"):
        wrong = sum(one != other for one, other in zip(table[name].to_pylist(), pool[name].to_pylist()))
        if wrong:
            yield f"{wrong:,} chunks have another {name} than in the pool."
    wrong = sum(content_hash(text) != known for text, known in zip(table["text"].to_pylist(), pool["hash"].to_pylist()))
    if wrong:
        yield f"{wrong:,} chunks have another text than in the pool."
    refused = sum(status != "candidate" for status in pool["status"].to_pylist())
    if refused:
        yield f"{refused:,} chunks were refused or near duplicates, and are chosen all the same."


def _budget(chosen: Chosen) -> Iterator[str]:
    budget = Budget.parse(chosen.manifest["request"]["budget"])
    tokens = sum(chosen.table["tokens"].to_pylist())
    if tokens != chosen.manifest["selected"]["tokens"]:
        yield f"The chunks have {tokens:,} tokens; the manifest says {chosen.manifest['selected']['tokens']:,}."
    if budget.unit == "tokens" and tokens > budget.amount:
        yield f"The chunks have {tokens:,} tokens, over the budget of {budget}."
    if budget.unit != "tokens" and len(chosen) != budget.chunks_of(chosen.manifest["pool"]["candidates"]):
        candidates = chosen.manifest["pool"]["candidates"]
        yield f"There are {len(chosen):,} chunks; the budget is {budget} of {candidates:,} candidates."


def _values(chosen: Chosen) -> Iterator[str]:
    values = chosen.values()
    if values is None:
        return
    rows, written = np.array(chosen.table["row"]), np.array(chosen.table["value"].to_pylist(), np.float32)
    names = [target["name"] for target in chosen.manifest["targets"]]
    served = [names.index(name) for name in chosen.table["target"].to_pylist()]
    pool = values.reshape(len(values), len(names))[rows, served]
    wrong = int((np.where(np.isfinite(pool), pool, np.nan) != written)[np.isfinite(pool) | np.isfinite(written)].sum())
    if wrong:
        yield f"{wrong:,} chunks have another value than in values.npy."
    noise = chosen.manifest["request"]["options"].get("noise")
    if "marginal_error" in chosen.manifest["targets"][0]["method"] and not noise and len(names) == 1:
        left = np.array(chosen.pool["status"].to_pylist()) == "candidate"
        left[rows] = False
        better = int((values[left] < written.max()).sum())
        if better:
            yield f"{better:,} candidates have lower values than the last that was chosen."


def _convergence(chosen: Chosen) -> Iterator[str]:
    for target in chosen.manifest["targets"]:
        threshold = target["method"].get("settings", {}).get("threshold")
        error = target["method"].get("marginal_error")
        if threshold is not None and not error <= threshold:
            yield f"For {target['name']} {error:.2%} of the mass is misplaced; {threshold:.2%} was asked."
