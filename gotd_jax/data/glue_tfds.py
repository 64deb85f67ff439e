"""GLUE from TensorFlow Datasets, without TensorFlow."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gotd_jax.data import dataset_libraries, network
from gotd_jax.data.fields import Fields
from gotd_jax.data.formats import brief

HOST = "https://dl.fbaipublicfiles.com"  # where all of GLUE's files lie


def is_available(configuration: str) -> bool:
    """Returns whether `glue/configuration` is prepared as array_record, or its files can be downloaded."""
    import tensorflow_datasets.text.glue

    if tensorflow_datasets.text.glue.Glue(config=configuration).info.splits:
        return True
    return network.answers(HOST)


def prepare(configuration: str, why: str) -> None:
    """Downloads and prepares `glue/configuration` as array_record, unless it is prepared already.

    Args:
      configuration: of TensorFlow Datasets' `glue`.
      why: the beginning of the message of an error.

    Raises:
      RuntimeError: the files cannot be downloaded.
    """
    import tensorflow_datasets.text.glue

    builder = tensorflow_datasets.text.glue.Glue(config=configuration)
    if builder.info.splits:
        return
    remedy = "Put GLUE's files in data_dir, or prepare the set elsewhere and name its folder in TFDS_DATA_DIR."
    try:
        network.reach(HOST)  # the library itself tries for minutes before it says that there is no network
        split_generators = builder._split_generators
        builder._split_generators = lambda manager: split_generators(_Unzipping(manager))
        builder.download_and_prepare(file_format="array_record")
    except OSError as error:  # requests' errors are of this kind too
        raise RuntimeError(f"{why}, and TensorFlow Datasets could not download it ({brief(error)}). {remedy}") from error


def records(configuration: str, split: str, classes: Sequence[str]) -> Iterator[dict]:
    """Yields the labelled records of a split, as `gotd_jax.data.labelled_examples.examples_of` takes them.

    Args:
      configuration: of TensorFlow Datasets' `glue`.
      split: of it.
      classes: their names, by the number that a label is; () for regression.

    Raises:
      ValueError: the set was prepared in a format that needs TensorFlow.
    """
    import tensorflow_datasets.text.glue

    features = list(tensorflow_datasets.text.glue.Glue.builder_configs[configuration].text_features)
    fields = Fields(features[0], None, features[1] if len(features) > 1 else None)
    _, rows = dataset_libraries.tfds(f"glue/{configuration}", split, fields)
    for number, row in rows():
        place = f"tfds:glue/{configuration}:{split}:{number}"
        label = float(row["label"])
        if classes and label >= 0:  # a row without a label has -1, which Python would take for the last class
            label = classes[int(label)]
        yield {
            "id": f"{split}:{number}",
            "text": fields.text_of(row, place),
            "pair": fields.pair_of(row, place),
            "label": label,
            "place": place,
        }


class _Unzipping:
    """A download manager that unpacks zip files itself: the library's own needs TensorFlow for that."""

    def __init__(self, manager):
        self._manager = manager

    def __getattr__(self, name: str):
        return getattr(self._manager, name)

    def download_and_extract(self, url: str) -> str:
        archive = Path(self._manager.download(url))
        folder = archive.with_name(f"{archive.name}.unpacked")
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        return str(folder)
