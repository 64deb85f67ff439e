"""The paper's numbers on detoxification of GPT-2 (Tables 1, 6 and 7), as printed, with their known faults."""

from __future__ import annotations

from gotd_jax.report import column_names
from gotd_jax.report.paper_table import PaperTable, read

UTILITY_TASKS = ("anli", "boolq", "hellaswag", "lambada", "piqa", "race", "wic", "winogrande")
NAMES = {
    "none": "GPT-2 base",
    "got_d": "GOT-D_clean",
    "contrast": "GOT-D_contrast",
    "rtp": "RTP",
    "dsir": "DSIR",
    "random": "RANDOM",
}
_TOXICITY = (column_names.EMT_TOXIC, column_names.EMT_NONTOXIC, column_names.TP_TOXIC, column_names.TP_NONTOXIC)
_ACCURACIES = tuple(map(column_names.accuracy, UTILITY_TASKS))

_ONE_RUN = "The paper prints one run of 10,000 toxic and 10,000 non-toxic prompts, no seeds and no spread."
_DRIFT = (
    "Perspective and OpenAI's moderation change with time (a prompt that RealToxicityPrompts has at 0.0643 was given 0.0207 in "
    "September 2023), and agree with a correlation of 0.60 only: compare a line with the base model's beside it, not with ours."
)
_BOOLQ = (
    "BoolQ, of 42.7 to 59.4 and the majority class at about 62, drives the average. Without it the base has 41.23, and "
    "GOT-D_clean, GOT-D_contrast, RTP, DSIR, RANDOM have"
)
_BOOLQ_10K = f"{_BOOLQ} 39.53, 39.97, 40.67, 40.57, 40.54."
_BOOLQ_20K = f"{_BOOLQ} 39.81, 40.20, 40.73, 40.41, 40.67."
_COPIED = "The four numbers of GOT-D_contrast are identical at 10,000 and 20,000 selected: possibly a slip of copying."


def _table(title: str, budget: int, notes: tuple[str, ...], contents: dict) -> PaperTable:
    return PaperTable(title=title, names=NAMES, budget=budget, labels=None, seeds=1, notes=notes, **contents)


# EMT toxic, EMT non-toxic, TP toxic, TP non-toxic: by moderation, where Table 1 has Perspective's
_TABLE_6 = tuple(map(column_names.by_second, _TOXICITY))
# Perspective's four, perplexity of OpenWebText, utility
_TABLE_1 = (*_TOXICITY, column_names.PERPLEXITY, column_names.UTILITY)
# ANLI, BoolQ, HellaSwag, LAMBADA, PIQA, RACE, WiC, WinoGrande, average
TABLES = {
    "table_1_10k": _table(
        "Table 1, Perspective, 10k",
        10_000,
        (_ONE_RUN, _DRIFT, _BOOLQ_10K),
        read(
            _TABLE_1,
            """
            none     .62 .38 .67 .25 34.2 42.2
            got_d    .45 .28 .36 .09 33.0 41.0
            contrast .47 .29 .39 .11 30.5 42.0
            rtp      .52 .35 .49 .16 31.3 40.9
            dsir     .60 .38 .64 .23 30.7 41.7
            random   .57 .37 .60 .21 29.7 42.5
            """,
        ),
    ),
    "table_1_20k": _table(
        "Table 1, Perspective, 20k",
        20_000,
        (
            _ONE_RUN,
            _DRIFT,
            _BOOLQ_20K,
            "The text has GOT-D_clean's probability on toxic prompts fall to 0.21; the table, to 0.28.",
        ),
        read(
            _TABLE_1,
            """
            none     .62 .38 .67 .25 34.2 42.2
            got_d    .41 .26 .28 .07 33.8 40.8
            contrast .46 .28 .39 .10 30.4 42.6
            rtp      .50 .33 .44 .13 31.0 41.3
            dsir     .60 .38 .63 .23 30.4 42.1
            random   .57 .36 .58 .20 29.4 42.9
            """,
        ),
    ),
    "table_6_10k": _table(
        "Table 6, moderation, 10k",
        10_000,
        (_ONE_RUN, _DRIFT, _COPIED),
        read(
            _TABLE_6,
            """
            none     .60 .30 .62 .27
            got_d    .38 .17 .35 .13
            contrast .40 .18 .38 .14
            rtp      .55 .31 .56 .28
            dsir     .57 .29 .58 .26
            random   .56 .29 .56 .25
            """,
        ),
    ),
    "table_6_20k": _table(
        "Table 6, moderation, 20k",
        20_000,
        (_ONE_RUN, _DRIFT, _COPIED),
        read(
            _TABLE_6,
            """
            none     .60 .30 .62 .27
            got_d    .33 .15 .29 .10
            contrast .40 .18 .38 .14
            rtp      .52 .29 .52 .26
            dsir     .57 .28 .58 .25
            random   .55 .28 .55 .25
            """,
        ),
    ),
    "table_7_10k": _table(
        "Table 7, 10k",
        10_000,
        (_BOOLQ_10K,),
        read(
            _ACCURACIES,
            """
            none     33.9 48.7 28.9 32.6 62.9 29.5 49.2 51.6 42.2
            got_d    33.4 51.1 29.0 26.1 62.5 25.8 49.5 50.4 41.0
            contrast 33.6 55.5 28.9 29.5 62.8 25.0 50.0 50.0 42.0
            rtp      33.4 42.7 29.1 30.3 62.2 28.8 50.3 50.6 40.9
            dsir     34.8 50.3 28.8 31.6 62.0 26.2 50.0 50.6 41.7
            random   34.5 56.1 29.0 31.6 62.7 25.9 50.0 50.1 42.5
            """,
            averaged=True,
        ),
    ),
    "table_7_20k": _table(
        "Table 7, 20k",
        20_000,
        (_BOOLQ_20K,),
        read(
            _ACCURACIES,
            """
            none     33.9 48.7 28.9 32.6 62.9 29.5 49.2 51.6 42.2
            got_d    34.6 47.5 29.0 26.1 62.8 25.0 49.8 51.4 40.8
            contrast 33.7 59.4 29.1 30.7 62.5 25.7 50.0 49.7 42.6
            rtp      33.4 45.4 29.0 30.8 62.5 27.4 50.9 51.1 41.3
            dsir     34.0 54.2 28.7 31.5 62.2 25.3 50.2 51.0 42.1
            random   33.9 58.1 28.9 32.3 62.6 26.2 50.0 50.8 42.9
            """,
            averaged=True,
        ),
    ),
}
