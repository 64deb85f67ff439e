import subprocess
import sys

import numpy as np
import pytest

from gotd_jax.data.corpus import ROWS_PER_BATCH, SCHEMA, Corpus, content_hash


def record(number: int) -> dict:
    return {
        "id": f"id-{number}",
        "text": f"text {number % 7} é",
        "pair": None if number % 3 else f"pair {number}",
        "domain": "news" if number % 2 else "web",
    }


def corpus_of(count: int) -> Corpus:
    return Corpus.from_records(record(number) for number in range(count))


def rows_of(corpus: Corpus) -> list[dict]:
    """Returns the rows by the columns' own readers, without their hashes."""
    columns = zip(corpus.ids, corpus.texts(), corpus.pairs(), corpus.domains)
    return [dict(zip(("id", "text", "pair", "domain"), row)) for row in columns]


def assert_aligned(corpus: Corpus, numbers: list[int]) -> None:
    assert rows_of(corpus) == [record(number) for number in numbers]
    assert [bytes(found) for found in corpus.hashes] == [
        content_hash(record(number)["text"], record(number)["pair"]) for number in numbers
    ]


@pytest.mark.parametrize("seed", range(5))
def test_rows_stay_whole_under_any_sequence_of_take_and_concatenate(seed, tmp_path):
    rng = np.random.default_rng(seed)
    numbers = list(range(3 * ROWS_PER_BATCH // 2))
    corpus = corpus_of(len(numbers)).save(tmp_path / "corpus.arrow")
    for step in range(4):
        parts = []
        for _ in range(3):
            rows = rng.integers(0, len(numbers), rng.integers(0, 300))
            parts.append((corpus.take(rows), [numbers[row] for row in rows]))
        corpus = Corpus.concatenate([part for part, _ in parts])
        numbers = [number for _, part in parts for number in part]
        if step == 2:
            corpus = corpus.save(tmp_path / f"{step}.arrow")
        assert_aligned(corpus, numbers)


def test_texts_of_rows_come_in_the_order_asked_for_and_with_repeats():
    corpus = corpus_of(2 * ROWS_PER_BATCH + 10)
    rows = [2 * ROWS_PER_BATCH + 3, 5, 5, ROWS_PER_BATCH, 0]
    assert corpus.texts(rows) == [record(row)["text"] for row in rows]
    assert corpus.pairs(rows) == [record(row)["pair"] for row in rows]


def test_slices_mean_what_they_mean_for_a_list():
    cases = [slice(3, 9), slice(None, None, 5), slice(9, 3), slice(-4, None), slice(8, 2, -2)]
    for rows in cases:
        assert corpus_of(20).texts(rows) == [record(number)["text"] for number in range(20)][rows], rows


def test_saved_corpus_opens_equal_to_the_one_in_memory(tmp_path):
    corpus = corpus_of(ROWS_PER_BATCH + 1)
    saved = corpus.save(tmp_path / "new folder" / "corpus.arrow")
    streamed = Corpus.from_records((record(number) for number in range(ROWS_PER_BATCH + 1)), tmp_path / "streamed.arrow")
    for other in (saved, streamed, Corpus.open(tmp_path / "new folder" / "corpus.arrow")):
        assert other.table.equals(corpus.table)
        assert other.fingerprint == corpus.fingerprint


def test_taking_rows_of_a_mapped_corpus_does_not_read_the_rest_into_memory(tmp_path):
    path = tmp_path / "corpus.arrow"
    Corpus.from_records(({"text": "x" * 2000} for _ in range(4 * ROWS_PER_BATCH)), path)
    assert path.stat().st_size > 30e6
    code = f"""
import pyarrow
from gotd_jax.data.corpus import Corpus
corpus = Corpus.open({str(path)!r})
corpus.texts([3, {4 * ROWS_PER_BATCH - 1}, 7])
corpus.take([3, {4 * ROWS_PER_BATCH - 1}, 7])
print(pyarrow.default_memory_pool().max_memory())
"""
    peak = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    assert peak < 1e6


def test_interrupted_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "corpus.arrow"
    corpus_of(5).save(path)

    def failing():
        yield from (record(number) for number in range(2 * ROWS_PER_BATCH))
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        Corpus.from_records(failing(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["corpus.arrow"]
    assert_aligned(Corpus.open(path), list(range(5)))


def test_corpus_can_be_rewritten_at_the_path_it_is_mapped_from(tmp_path):
    path = tmp_path / "corpus.arrow"
    corpus = corpus_of(50).save(path)
    assert_aligned(corpus.take([4, 2]).save(path), [4, 2])
    assert_aligned(Corpus.from_records(iter(Corpus.open(path)), path), [4, 2])
    assert_aligned(corpus, list(range(50)))


def test_hashes_tell_contents_apart_and_nothing_else():
    texts = [("a", None), ("a", ""), ("a", "b"), ("ab", None), ("é", None), ("b", "a")]
    corpus = Corpus.from_records(
        {"id": i, "text": text, "pair": pair, "domain": str(i)} for i, (text, pair) in enumerate(texts * 2)
    )
    unique, inverse = np.unique(corpus.hashes, return_inverse=True)
    assert len(unique) == len(texts)
    np.testing.assert_array_equal(inverse[: len(texts)], inverse[len(texts) :])
    np.testing.assert_array_equal(np.isin(corpus.hashes, corpus.take([2]).hashes), np.tile(np.arange(6) == 2, 2))


def test_hashes_that_end_in_zero_bytes_keep_them():
    text = next(text for text in map(str, range(10_000)) if content_hash(text).endswith(b"\0"))
    corpus = Corpus.from_texts(["other", text])
    assert bytes(corpus.hashes[1]) == content_hash(text)
    assert len(bytes(corpus.hashes[1])) == 16


def test_hashes_of_a_sliced_table_are_those_of_its_rows():
    corpus = corpus_of(20)
    np.testing.assert_array_equal(Corpus(corpus.table.slice(3, 5)).hashes, corpus.hashes[3:8])


def test_fingerprint_depends_on_contents_ids_and_order_but_not_on_how_rows_are_stored(tmp_path):
    corpus = corpus_of(20)
    pieces = Corpus.concatenate([corpus.take(range(8)), corpus.take(range(8, 20))])
    assert pieces.fingerprint == corpus.fingerprint
    records = [record(number) for number in range(20)]
    others = [corpus.take(np.arange(20)[::-1]), corpus.take(range(19))]
    for change in ({"id": "other"}, {"text": "other"}, {"pair": "other"}):
        others.append(Corpus.from_records([*records[:19], records[19] | change]))
    assert len({other.fingerprint for other in [corpus, *others]}) == len(others) + 1


def test_ids_default_to_row_numbers_and_domains_are_counted_in_order():
    corpus = Corpus.concatenate([Corpus.from_texts(["a", "b"], domain="web"), Corpus.from_texts(["c"], domain="news")])
    assert corpus.ids == ["0", "1", "0"]
    assert list(corpus.count_domains().items()) == [("web", 2), ("news", 1)]
    assert not corpus.is_paired
    assert corpus_of(4).is_paired


def test_very_long_texts_are_written_in_batches_of_few(tmp_path):
    corpus = Corpus.from_records(({"text": "x" * 6_000_000} for _ in range(7)), tmp_path / "corpus.arrow")
    assert [batch.num_rows for batch in corpus.table.to_batches()] == [3, 3, 1]


def test_empty_corpus_has_all_its_parts(tmp_path):
    for corpus in (Corpus.from_records([]), Corpus.from_records([], tmp_path / "empty.arrow"), corpus_of(9).take([])):
        assert len(corpus) == 0
        assert corpus.ids == corpus.texts() == list(corpus) == []
        assert corpus.hashes.shape == (0,)
        assert corpus.table.schema == SCHEMA
        assert not corpus.is_paired


def test_rows_that_are_no_positions_are_refused(subtests):
    cases = [
        ([9, 10], "Rows 9 to 10 .* rows 0 to 9"),
        ([-1], "Rows -1"),
        (np.ones(10, bool), "flatnonzero"),
        ([0.5], "float64"),
    ]
    for rows, message in cases:
        with subtests.test(rows=rows):
            corpus = corpus_of(10)
            for read in (corpus.take, corpus.texts, corpus.pairs):
                with pytest.raises(ValueError, match=message):
                    read(rows)


def test_file_that_no_corpus_wrote_is_refused(tmp_path):
    path = tmp_path / "corpus.arrow"
    for content in (b"", b"something else, of some length"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"not written by Corpus\.save"):
            Corpus.open(path)


def test_text_that_is_no_string_is_refused():
    for text in (None, 3, b"bytes"):
        with pytest.raises(ValueError, match="Record 1 has the text"):
            Corpus.from_records([{"text": "fine"}, {"text": text}])


def test_taken_rows_stream_to_a_file_with_ids_and_hashes(tmp_path):
    corpus = corpus_of(2 * ROWS_PER_BATCH + 5)
    rows = [0, 3, 2 * ROWS_PER_BATCH + 4]  # of the second batch nothing
    taken = corpus.take(rows)
    written = taken.save(tmp_path / "taken.arrow")
    assert_aligned(written, rows)
    assert (written.hashes == corpus.hashes[rows]).all()
    assert written.fingerprint_with_domains == taken.fingerprint_with_domains
    assert written.take([2]).ids == [f"id-{2 * ROWS_PER_BATCH + 4}"]


def test_taking_half_of_a_mapped_corpus_and_reading_it_through_holds_a_block_in_memory(tmp_path):
    path = tmp_path / "corpus.arrow"
    Corpus.from_records(({"text": "x" * 2000} for _ in range(6 * ROWS_PER_BATCH)), path)
    code = f"""
import numpy, pyarrow
from gotd_jax.data.corpus import Corpus
half = Corpus.open({str(path)!r}).take(numpy.arange(0, {6 * ROWS_PER_BATCH}, 2))
print(sum(len(record["text"]) for record in half), half.fingerprint, len(half.save({str(tmp_path / "half.arrow")!r})))
print(pyarrow.default_memory_pool().max_memory())
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert int(printed.split()[-1]) < 2.5 * ROWS_PER_BATCH * 2000
