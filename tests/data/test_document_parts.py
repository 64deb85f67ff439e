"""Parts of a collection of documents."""

import numpy as np
import pytest

from gotd_jax.data.document_parts import WHOLE, identity, of_part, place

DOCUMENTS = [{"text": f"Document number {number} of many."} for number in range(4_000)]


def texts(part):
    return [record["text"] for record in of_part(DOCUMENTS, part)]


def test_parts_that_meet_hold_every_document_once():
    parts = [texts(part) for part in ((0.0, 0.5), (0.5, 0.75), (0.75, 1.0))]
    assert sorted(text for part in parts for text in part) == sorted(record["text"] for record in DOCUMENTS)
    shares = [len(part) / len(DOCUMENTS) for part in parts]
    np.testing.assert_allclose(shares, (0.5, 0.25, 0.25), atol=0.03)  # four standard errors


def test_a_document_lies_in_one_part_however_it_is_written():
    assert place("The same words.") == place("the  SAME words") != place("other words")


def test_the_whole_is_all_documents_and_no_setting():
    assert texts(WHOLE) == [record["text"] for record in DOCUMENTS]
    assert identity(WHOLE) == {} != identity((0.0, 0.5))


@pytest.mark.parametrize("part", [(0.5, 0.5), (0.8, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_a_part_that_is_none_is_refused(part):
    with pytest.raises(ValueError, match="part of the documents"):
        texts(part)
