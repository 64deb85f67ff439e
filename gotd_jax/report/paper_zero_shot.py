"""The paper's zero-shot numbers (Tables 16, 17 and 18), as printed, with their known faults."""

from __future__ import annotations

from gotd_jax.report.column_names import accuracy
from gotd_jax.report.paper_table import PaperTable, read

NAMES = {"none": "no selection", "got_d": "GOT-D", "dsir": "DSIR", "tapt_c": "TAPT/c"}
AG_NEWS, BOOLQ = accuracy("ag_news"), accuracy("boolq")

_ONE_RUN = (
    "The paper prints one run on 1,000 test items, without a spread: the standard error of an accuracy is about 1.6 points."
)
_EMBEDDINGS = (
    "GOT-D reads an encoder fine-tuned on the task's labels, TAPT/c a sentence transformer; with that one (Table 17) GOT-D has "
    "52.7 at 5,000 and 60.1 at 20,000, TAPT/c 51.8 and 57.0."
)
_MISSING = "The text speaks of 80,000 selected and of random selection; the table has neither."
_PRIOR = (
    "Always answering with BoolQ's majority class scores about 62: every number of the table lies below it, and shifts of the "
    "label's prior move them as much as knowledge."
)


def _table(title: str, budget: int, notes: tuple[str, ...], column: str, printed: str) -> PaperTable:
    return PaperTable(title, NAMES, budget, None, 1, **read((column,), printed), notes=notes)


def _table_16(budget: int, got_d: float, dsir: float, tapt_c: float) -> PaperTable:
    printed = f"none 49.5\ngot_d {got_d}\ndsir {dsir}\ntapt_c {tapt_c}"
    return _table(f"Table 16, GPT-2 XL, {budget:,}", budget, (_ONE_RUN, _EMBEDDINGS, _MISSING), AG_NEWS, printed)


def _table_17(embeddings: str, budget: int, got_d: float) -> PaperTable:
    return _table(f"Table 17, {embeddings}, {budget:,}", budget, (_ONE_RUN,), AG_NEWS, f"got_d {got_d}")


TABLES = {
    "table_16_5k": _table_16(5_000, 53.5, 51.8, 51.8),
    "table_16_10k": _table_16(10_000, 57.0, 51.2, 55.2),
    "table_16_20k": _table_16(20_000, 61.4, 53.1, 57.0),
    "table_16_40k": _table_16(40_000, 63.4, 54.7, 59.1),
    "table_17_distilbert_5k": _table_17("DistilBERT fine-tuned", 5_000, 53.5),
    "table_17_distilbert_20k": _table_17("DistilBERT fine-tuned", 20_000, 61.4),
    "table_17_sentences_5k": _table_17("sentence transformer", 5_000, 52.7),
    "table_17_sentences_20k": _table_17("sentence transformer", 20_000, 60.1),
    "table_17_tokens_5k": _table_17("token space", 5_000, 50.3),
    "table_17_tokens_20k": _table_17("token space", 20_000, 53.0),
    "table_18": _table(
        "Table 18, GPT-Neo 2.7B, 40,000",
        40_000,
        (_ONE_RUN, _PRIOR),
        BOOLQ,
        "none 51.1\ngot_d 57.7\ndsir 53.3\ntapt_c 51.2",
    ),
}
