"""The sources of a pool: files, datasets of a library and packaged domains, each under the name that its chunks carry."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping

from gotd_jax.data import hub_datasets, pools, readers
from gotd_jax.data.document_parts import WHOLE, Part, of_part
from gotd_jax.data.document_parts import identity as part_identity
from gotd_jax.data.fields import Fields


@dataclasses.dataclass(frozen=True)
class Opened:
    """The texts of a source, opened and not yet read.

    Attributes:
      records: yields them, once.
      version: of the package, the TensorFlow dataset or the hub's files; None for files.
      most: number of chunks after which reading stops, the records being in random order; None: all are read.
      left_out: how many files in the folders of the source are not read.
    """

    records: Iterator[dict]
    version: str | None
    most: int | None = None
    left_out: int = 0


@dataclasses.dataclass(frozen=True)
class Source:
    """Files, or datasets of a library.

    Attributes:
      name: the domain of its texts, where they name none themselves.
      place: as `gotd_jax.data.readers.records` takes it.
      text_field: the field with the text.
      id_field: the field with the id.
      domain_field: the field with the domain; None: `name` is the domain of all.
      most: how many of its chunks are taken at most, drawn by `seed`; None: all.
      seed: of that draw.
      documents: the part of its texts that is read; see `gotd_jax.data.document_parts`.
      remedy: a sentence that ends the message where it cannot be read.
    """

    name: str
    place: str | list
    text_field: str = "text"
    id_field: str = "id"
    domain_field: str | None = None
    most: int | None = None
    seed: int = 0
    documents: Part = WHOLE
    remedy: str = ""

    @property
    def label(self) -> str | list:
        """The place as a person wrote it."""
        return self.place

    def identity(self) -> dict:
        """Returns the settings that its texts depend on, JSON-like, without reading them and without a network.

        Raises:
          ValueError: it does not exist.
        """
        fields = [self.text_field, self.id_field, self.domain_field]
        found = {"place": readers.describe(self.place, versions=False), "fields": fields} | part_identity(self.documents)
        return found | ({"most": self.most, "seed": self.seed} if self._is_streamed else {})

    def opened(self, commits: Mapping[str, str]) -> Opened:
        """Returns its texts; where only some chunks of a dataset on the hub are taken, no more than these are downloaded.

        Args:
          commits: at which datasets of the hub were read before, by place: one that names no revision is read there again.

        Raises:
          ValueError: it does not exist or lacks a field; see `readers.records`.
        """
        place = self._at(commits)
        try:
            version = readers.version(place)
            if self._is_streamed:
                place = self._at({str(self.place): version} if version else commits)  # the version read is the one recorded
                records = hub_datasets.drawn(*_dataset(place), Fields(text=self.text_field), self.seed, self.name)
                return Opened(of_part(records, self.documents), version, self.most)
            fields = {name: getattr(self, name) for name in ("text_field", "id_field", "domain_field")}
            records = readers.records(place, domain=self.name, **fields)
        except ValueError as error:
            if not self.remedy:
                raise
            raise ValueError(f"{error} {self.remedy}") from error
        return Opened(of_part(records, self.documents), version, left_out=len(readers.left_out(place)))

    @property
    def _is_streamed(self) -> bool:
        return self.most is not None and _dataset(self.place) is not None

    def _at(self, commits: Mapping[str, str]) -> str | list:
        """Returns the place with the commit that it is known by, unless it names a revision itself."""
        dataset = _dataset(self.place)
        if not dataset or "@" in dataset[0] or str(self.place) not in commits:
            return self.place
        return f"hf:{dataset[0]}@{commits[str(self.place)]}:{dataset[1]}"


@dataclasses.dataclass(frozen=True)
class Packaged:
    """A domain that a package holds, one of `gotd_jax.data.pools.DOMAINS`.

    Attributes:
      name: of the domain.
      most: how many of its chunks are taken at most, drawn by `seed`; None: all.
      seed: of that draw.
      documents: the part of its texts that is read; see `gotd_jax.data.document_parts`.
    """

    name: str
    most: int | None = None
    seed: int = 0
    documents: Part = WHOLE

    @property
    def label(self) -> str:
        """The name of the package."""
        return pools.package_of(self.name).name

    def identity(self) -> dict:
        """Returns the package and its version, JSON-like."""
        package = pools.package_of(self.name)
        return {"package": [package.name, package.version]} | part_identity(self.documents)

    def opened(self, commits: Mapping[str, str]) -> Opened:
        """Returns its texts; packages have no `commits`.

        Raises:
          ValueError: the package has no domain of that name.
        """
        return Opened(of_part(pools.load_domain(self.name), self.documents), pools.package_of(self.name).version)


def _dataset(place: str | list) -> tuple[str, str] | None:
    """Returns the name and the split of a place that is one dataset of the hub, without a slice; None for all other places."""
    parts = readers.SPLIT.fullmatch(str(place).removeprefix("hf:")) if str(place).startswith("hf:") else None
    sliced = parts and set("[+") & set(parts["split"])
    return (os.path.expanduser(parts["name"]), parts["split"]) if parts and not sliced else None
