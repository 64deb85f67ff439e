"""Chunks: a corpus cut into texts of one length, as the paper cuts pools and targets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from gotd_jax.data.corpus import Corpus

SHORT = ("keep", "drop", "join")
LONG = ("split", "cut")


def chunk(
    corpus: Corpus,
    characters: int | None = 1000,
    *,
    short: str = "keep",
    long: str = "split",
    separator: str = "",
) -> Corpus:
    """Returns the chunks of `corpus`, in its order, in memory.

    The paper's pools have 1,000 characters and `short='drop', long='split'` for language understanding: its published readme
    splits much longer texts, such as scientific papers, without which PubMed and arXiv could not give 2 to 3 million. For
    detoxification they have 500 and `short='drop', long='cut'` (App. C.1.2: "truncate"). Its targets are `short='join',
    long='split'` (App. C.2 and the published notebook).

    Args:
      corpus: pairs become one text, first and second sentence with a space between; chunks have no pair.
      characters: length of a chunk in characters, Unicode code points; None or 0 cuts nothing, and then `short`, `long`
        and `separator` have no effect.
      short: how to treat a shorter text, or the shorter end of a split one: 'keep' it, 'drop' it, or 'join' it with the
        short ones that follow until they have `characters`, and cut there; the surplus is lost, as in the paper. The
        short ones at the end of the corpus make one last chunk, however short.
      long: how to treat a longer text: 'split' it into successive chunks, or 'cut' it after the first.
      separator: goes between joined texts. The paper's is empty, which glues the last word of one to the first of the next.

    Returns:
      A corpus whose texts have `characters` characters, save those kept short. Chunk i of a text split into several has
      the id `<id>#<i>`; a text of one chunk keeps its id; k joined ones have `<first id>+<k - 1>`, and the first's domain.

    Raises:
      ValueError: an argument is not one of the above, the corpus is empty, or no text is long enough.
    """
    _check(characters, short, long)
    if not characters and not corpus.is_paired:
        return corpus
    pieces = chunk_records(corpus, characters, short=short, long=long, separator=separator)
    first = next(pieces, None)
    if first is None and characters:
        raise ValueError(
            f"None of the {len(corpus):,} texts has {characters:,} characters, so there are no chunks. "
            "Lower `characters`, or keep or join short texts."
        )
    return Corpus.from_records(itertools.chain([first] if first else [], pieces))


def chunk_records(
    records: Iterable[dict], characters: int | None, *, short: str = "keep", long: str = "split", separator: str = ""
) -> Iterator[dict]:
    """Returns an iterator over the chunks of a stream of records, which it reads only as far as it has to; see `chunk`.

    Args:
      records: of id, text and domain, and pair where there is one, as readers and corpora yield them.
      characters: see `chunk`.
      short: see `chunk`.
      long: see `chunk`.
      separator: see `chunk`.

    Raises:
      ValueError: an argument is not one of the above.
    """
    _check(characters, short, long)
    if not characters:
        return map(_unpaired, records)
    pieces = _pieces(records, characters, long)
    if short == "drop":
        return (piece for piece in pieces if len(piece["text"]) == characters)
    return _joined(pieces, characters, separator) if short == "join" else pieces


def _check(characters: int | None, short: str, long: str) -> None:
    if characters is not None and characters < 0:
        raise ValueError(f"A chunk of {characters} characters cannot be. Give at least 1, or None to cut nothing.")
    if short not in SHORT:
        raise ValueError(f"short is {short!r}. The ways to treat a shorter text are: {', '.join(SHORT)}.")
    if long not in LONG:
        raise ValueError(f"long is {long!r}. The ways to treat a longer text are: {', '.join(LONG)}.")


def _unpaired(record: dict) -> dict:
    text = " ".join(sentence for sentence in (record["text"], record.get("pair")) if sentence)
    return {"id": record["id"], "text": text, "domain": record["domain"]}


def _pieces(records: Iterable[dict], characters: int, long: str) -> Iterator[dict]:
    for record in map(_unpaired, records):
        text = record["text"]
        if len(text) <= characters or long == "cut":
            if text:
                yield record | {"text": text[:characters]}
            continue
        for number, start in enumerate(range(0, len(text), characters)):
            yield record | {"id": f"{record['id']}#{number}", "text": text[start : start + characters]}


def _joined(pieces: Iterator[dict], characters: int, separator: str) -> Iterator[dict]:
    waiting: list[dict] = []
    length = 0
    for piece in pieces:
        if len(piece["text"]) == characters:
            yield piece
            continue
        length += len(piece["text"]) + (len(separator) if waiting else 0)
        waiting.append(piece)
        if length >= characters:
            yield _join(waiting, characters, separator)
            waiting, length = [], 0
    if waiting:
        yield _join(waiting, characters, separator)


def _join(pieces: list[dict], characters: int, separator: str) -> dict:
    text = separator.join(piece["text"] for piece in pieces)[:characters]
    others = len(pieces) - 1
    return pieces[0] | {"text": text, "id": f"{pieces[0]['id']}+{others}" if others else pieces[0]["id"]}
