"""The table of losses before fine-tuning."""

import numpy as np

from gotd_jax.report import comparison, target_loss

MEANS = {"random": 2.0, "got_d": 1.5, "dsir": 1.9}


def rows():
    random, made = np.random.default_rng(0), []
    for seed in range(6):
        level = random.normal()
        for method, mean in MEANS.items():
            found = {"bits_per_byte": mean + level + 0.01 * random.normal(), "texts": 40}
            made.append({"method": method, "budget": 9, "seed": seed, "task": "films", **target_loss.of("films", found)})
    return made


def text(found):
    return target_loss.text(found, by=("method", "budget"), margin=comparison.MARGIN)


def test_every_line_is_compared_with_random():
    shown = text(rows())
    assert "films, bits/byte" in shown
    lines = [line for line in shown.splitlines() if line.startswith("random - ")]
    assert len(lines) == 2 and all("behind" in line for line in lines)


def test_rows_without_a_loss_are_passed_over():
    assert text([{"method": "none", "budget": 9, "seed": 0, "task": "films"}]) == ""
    assert target_loss.of("films", None) == {}
