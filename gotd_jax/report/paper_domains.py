"""The paper's numbers on domain adaptation (Tables 2 and 3), as printed, with their known faults."""

from __future__ import annotations

from gotd_jax.data.domain_tasks import DOMAIN_TASKS
from gotd_jax.report.paper_table import PaperTable, read

TASKS = tuple(DOMAIN_TASKS)  # the columns' order in Tables 2 and 3
NAMES = {
    "none": "BERT vanilla",
    "all_domains": "All domains",
    "dapt": "DAPT",
    "dsir": "DSIR",
    "tapt_c": "TAPT/c",
    "got_d": "GOT-D",
}

_TEST_SET = (
    "The published code chooses the checkpoint of the tasks of many steps by the score on the test set, which it then reports."
)
_HYPERPARTISAN = (
    "HyperPartisan's test set has 65 articles, 1.5 points each; there every pre-fine-tuned row lies below vanilla BERT, which "
    "makes no selection."
)
_SPREAD = "The averages' printed spreads are not set beside ours: an average spreads no more than its tasks do on average, and"

# RCT and ChemProt (micro F1), ACL-ARC, Sci-ERC, HyperPartisan, AGNews, Helpfulness, IMDB (macro F1), average
TABLES = {
    "table_2": PaperTable(
        title="Table 2, all training data",
        names=NAMES,
        budget=150_000,
        labels=None,
        seeds=5,
        **read(
            TASKS,
            """
            none        86.87_.09 79.33_.66 67.39_6.18 80.19_.70 91.80_.47 93.42_.15 68.78_1.44 93.78_.13 82.70_1.23
            all_domains 86.97_.05 80.24_.20 69.44_1.43 80.23_.82 90.35_.12 93.45_.16 69.16_1.12 92.71_.43 82.81_.11
            dapt        87.14_.13 81.03_.40 70.51_2.59 80.97_.19 89.57_.82 93.66_.15 68.15_.14  93.89_.12 83.11_1.54
            dsir        87.04_.11 80.69_.49 70.32_1.06 80.21_.52 90.05_.24 93.48_.15 68.33_.45  93.79_.17 82.98_.28
            got_d       87.21_.15 81.97_.35 72.34_1.59 81.99_.68 90.69_.40 93.72_.09 68.96_.56  93.81_.11 83.83_1.13
            """,
            averaged=True,
        ),
        notes=(
            _TEST_SET,
            _HYPERPARTISAN,
            f"{_SPREAD} DAPT's 1.54 and GOT-D's 1.13 exceed the 0.57 and 0.49 of theirs; 1.13 is also its gain over vanilla.",
            "ACL-ARC, where vanilla BERT spreads by 6.18, makes more than half of GOT-D's gain of 1.13 over it; without that "
            "task it is 0.60.",
        ),
    ),
    "table_3": PaperTable(
        title="Table 3, at most 5K training data",
        names=NAMES,
        budget=50_000,
        labels=5_000,
        seeds=5,
        **read(
            TASKS,
            """
            none   82.27_.47 79.33_.66 67.39_6.18 80.19_.70 91.8_.47  89.95_.36 64.19_1.20 90.91_.79 80.75_1.35
            dsir   82.61_.17 80.48_.19 68.77_1.62 80.55_.94 90.38_.01 89.31_.19 63.45_.81  91.93_.09 80.92_.50
            tapt_c 82.82_.11 81.28_.87 67.45_2.02 81.76_.61 90.38_.01 90.37_.17 63.10_.32  91.17_.94 81.03_.28
            got_d  82.70_.22 81.34_.68 69.59_2.87 81.48_.61 90.38_.12 90.46_.12 64.50_1.11 92.16_.03 81.51_1.13
            """,
            averaged=True,
        ),
        notes=(
            _TEST_SET,
            _HYPERPARTISAN,
            "Three printed averages do not add up: DSIR 80.92, TAPT/c 81.03 and GOT-D 81.51 are 80.94, 81.04 and 81.58.",
            f"{_SPREAD} GOT-D's 1.13, the one of Table 2, exceeds the 0.72 of its tasks.",
            "ChemProt, ACL-ARC, Sci-ERC and HyperPartisan have fewer than 5,000 labels: vanilla BERT is there as in Table 2.",
        ),
    ),
}
