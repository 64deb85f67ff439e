"""`Chosen`: a selection's folder, opened again."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pyarrow as pa

from gotd_jax.data.corpus import Corpus
from gotd_jax.files import read_json
from gotd_jax.ot import Potentials
from gotd_jax.tool import debiased
from gotd_jax.tool.explanations import Served, most_served
from gotd_jax.tool.package_files import MANIFEST


class Chosen:
    """A selection that was written by `select`.

    Args:
      folder: of the selection.

    Raises:
      ValueError: the folder holds no selection.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        if not (self.folder / MANIFEST).is_file():
            raise ValueError(f"{folder} holds no {MANIFEST}, so it is no selection. `gotd select --out` writes one.")
        self.manifest: dict = read_json(self.folder / MANIFEST)

    def __len__(self) -> int:
        return self.manifest["selected"]["chunks"]

    def __repr__(self) -> str:
        selected = self.manifest["selected"]
        return f"Chosen({selected['chunks']:,} chunks, {selected['tokens']:,} tokens, {self.folder})"

    @functools.cached_property
    def table(self) -> pa.Table:
        """The chosen text, best first: id, domain, text, value, rank, row, tokens, target."""
        import pyarrow.json as pj
        import pyarrow.parquet as pq

        from gotd_jax.tool.package_files import SCHEMA

        def read(path: Path) -> pa.Table:
            if path.suffix == ".parquet":
                return pq.read_table(path)
            if path.stat().st_size == 0:
                return SCHEMA.empty_table()
            block = pj.ReadOptions(block_size=1 << 26)
            return pj.read_json(path, block, pj.ParseOptions(explicit_schema=SCHEMA))

        return pa.concat_tables([read(self.folder / name) for name in self.parts])

    @property
    def parts(self) -> list[str]:
        """The names of the files of chosen text, in order."""
        return [name for name in self.manifest["files"] if name.startswith("part-")]

    @functools.cached_property
    def pool(self) -> pa.Table:
        """Every chunk of the pool: id, domain, hash, status, first."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / "pool.parquet")

    def values(self) -> np.ndarray | None:
        """Returns the values of the pool, float32 [n] or [n, targets], NaN where refused; None where the method has none."""
        path = self.folder / "values.npy"
        return np.load(path, mmap_mode="r") if path.exists() else None

    def value_parts(self, row: int) -> tuple[float, float] | None:
        """Returns a debiased value in parts: toward the target, and the pool's own, less which it is; None if it is not one.

        Args:
          row: of the selection, from 0: its rank.

        Raises:
          ValueError: the selection has no row of that number.
        """
        number, embedding = self._target_of(row), np.load(self.folder / "embeddings.npy", mmap_mode="r")[row]
        value = self.table["value"][row].as_py()
        if value is None or not debiased.summary(self.manifest, number):
            return None
        potentials = Potentials.load(self.folder / f"potentials-{number}.safetensors")
        candidates = potentials.candidate.astype(np.float64)
        scale = len(candidates) / max(len(candidates) - 1, 1)
        toward = scale * (float(potentials.value(embedding[None].astype(np.float32))[0]) - candidates.mean())
        return debiased.parts(toward, value)

    def explain(self, row: int, *, most: int = 5) -> list[Served]:
        """Returns the different target texts that the chosen text at `row` serves most, with their shares.

        Args:
          row: of the selection, from 0: its rank.
          most: how many target texts to name.

        Raises:
          ValueError: the selection has no row of that number.
        """
        import pyarrow.parquet as pq

        number = self._target_of(row)
        name = self.manifest["targets"][number]["name"]
        potentials = Potentials.load(self.folder / f"potentials-{number}.safetensors")
        embedding = np.load(self.folder / "embeddings.npy", mmap_mode="r")[row]
        target = pq.read_table(self.folder / "targets.parquet", filters=[("target", "=", name)])
        return list(most_served(potentials, embedding, Corpus.from_records(target.to_pylist()), most))

    def _target_of(self, row: int) -> int:
        """Returns the number of the target that the row was chosen for."""
        if not 0 <= row < len(self):
            raise ValueError(f"There is no row {row}. The selection has rows 0 to {len(self) - 1:,}.")
        return [target["name"] for target in self.manifest["targets"]].index(self.table["target"][row].as_py())
