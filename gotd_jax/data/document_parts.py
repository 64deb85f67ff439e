"""Parts of a collection of documents, told apart by content: no document, and no copy of it, lies in two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gotd_jax.data.pools import content_number

Part = tuple[float, float]  # from and up to which share of all documents, in an order that their content decides
WHOLE: Part = (0.0, 1.0)


def of_part(records: Iterable[dict], part: Part) -> Iterator[dict]:
    """Yields the records of the documents in a part of their collection, about `part[1] - part[0]` of them.

    A document's place is a number in [0, 1) that its text alone decides, letter case, white space and punctuation apart. So
    parts that do not overlap share no text, however the documents were read.

    Raises:
      ValueError: the part is not within [0, 1], or empty.
    """
    start, stop = part
    if not 0 <= start < stop <= 1:
        raise ValueError(f"The part of the documents is from {start} to {stop}. It must lie within 0 and 1, from low to high.")
    return (record for record in records if part == WHOLE or start <= place(record["text"]) < stop)


def place(text: str) -> float:
    """Returns a number in [0, 1) that the text decides."""
    return content_number(text) / 2**128


def identity(part: Part) -> dict:
    """Returns a part as settings, JSON-like; nothing for the whole."""
    return {} if tuple(part) == WHOLE else {"documents": list(part)}
