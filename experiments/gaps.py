"""The gap between a floor and a ceiling: what a run prints of it, and the two gates without which its lines say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from experiments import config_fields
from gotd_jax.report import figures, gap_by_value, gap_closed, paired_tests

MOST_BY_PLACEBO = 0.005  # of the untrained model's loss: above, any text helps, and the base was trained too little
FEWEST_DEVIATIONS = 10.0  # from floor to ceiling, of the paired difference: below, the lines between cannot be told apart


def check(config) -> None:
    """Raises ValueError where the gap's floor, ceiling or contrasts name a line, or its values a field, that is not swept."""
    gap = config.gap
    if lost := set(gap.by) - set(swept := config_fields.swept(config)):
        raise ValueError(f"config.gap.by has {', '.join(lost)}, and swept are: {', '.join(swept)}. Sweep over it as well.")
    named = {gap.floor, gap.ceiling, gap.untrained, gap.placebo, *(line for pair in gap.contrasts for line in pair)} - {""}
    lines = set(config.sweep.get("line", ()))
    if unknown := named - lines:
        raise ValueError(
            f"config.gap names the line {', '.join(sorted(unknown))}, and config.sweep.line has: {', '.join(sorted(lines))}. "
            "Leave it out, or add the line."
        )


def printed(rows: Sequence[dict], config, workdir: Path) -> str:
    """Returns the shares of the gap that the lines close, and the gates; written into the workdir too. '' without a gap."""
    gap = config.gap
    if not gap.ceiling:
        return ""
    options = {
        "floor": gap.floor,
        "ceiling": gap.ceiling,
        "contrasts": [pair for pair in gap.contrasts if set(pair) <= {row["line"] for row in rows}],
        "margin": gap.margin,
        "control": gap.control,
    }
    if gap.by:
        kind, made = gap_by_value, gap_by_value.make(rows, gap.by, best=gap.best, **options)
    else:
        kind, made = gap_closed, gap_closed.make(rows, **options)
    told = []
    for at, found in _groups(rows, config).items():
        sentences = *(said for said, _ in gates(found, config)), *control(found, config), *purity(found, config)
        told += [at + said for said in sentences]
    if made is None:
        return "\n".join(["The gap is shown when two replicates are whole.", *told])
    return "\n".join([figures.write_made(kind, made, workdir).rstrip(), "", *told])


def stop_unless_passed(rows: Sequence[dict], config) -> None:
    """Raises RuntimeError where the pilot's replicates have been run and a gate is not passed."""
    if config.gap.pilot is None:
        return
    pilot = _groups([row for row in rows if row["seed"] < config.gap.pilot], config)
    found = [(at + said, passed) for at, rows in pilot.items() for said, passed in gates(rows, config, fewest=config.gap.pilot)]
    if failed := [sentence for sentence, passed in found if not passed]:
        raise RuntimeError(
            f"{' '.join(failed)} More replicates would not mend it: pre-train the base longer, or choose targets that text "
            "of their own moves further. --config.gap.pilot=None goes on in any case."
        )


def gates(rows: Sequence[dict], config, fewest: int = 2) -> list[tuple[str, bool]]:
    """Returns a sentence for each gate and target, and whether it is passed; of targets that `fewest` replicates have.

    Gate A: more of the pre-training data lowers the target's loss by less than `MOST_BY_PLACEBO`. Gate B: the ceiling is at
    least `FEWEST_DEVIATIONS` standard deviations of the paired difference below the floor.
    """
    gap, losses, found = config.gap, gap_closed.losses_by_line(rows), []
    for task in dict.fromkeys(task for _, task, _ in losses):
        for gate, first, second in (("A", gap.untrained, gap.placebo), ("B", gap.floor, gap.ceiling)):
            seeds = sorted({s for line, t, s in losses if (line, t) == (first, task) and (second, task, s) in losses})
            if len(seeds) < fewest or (gate == "B" and task in gap.control):
                continue
            before, after = (np.array([losses[line, task, seed] for seed in seeds]) for line in (first, second))
            found.append(_gate(gate, task, before, after, (first, second)))
    return found


def control(rows: Sequence[dict], config) -> list[str]:
    """Returns a sentence for each target without a gap: the line that lies farthest from the floor, and whether it is noise."""
    losses, said = gap_closed.losses_by_line(rows), []
    for task in config.gap.control:
        found = {}
        for line in dict.fromkeys(line for line, of_task, _ in losses if of_task == task):
            seeds = [seed for name, of_task, seed in losses if (name, of_task) == (line, task)]
            common = [seed for seed in seeds if (config.gap.floor, task, seed) in losses]
            if line not in (config.gap.floor, config.gap.untrained) and len(common) >= paired_tests.FEWEST_TESTED:
                values = [[losses[name, task, seed] for seed in common] for name in (line, config.gap.floor)]
                found[line] = paired_tests.of_seeds(*values)
        if found:
            p_values = paired_tests.holm([each.p if each.p is not None else 1.0 for each in found.values()])
            apart = [line for line, p in zip(found, p_values) if p < paired_tests.ALPHA]
            farthest = max(found, key=lambda line: abs(found[line].difference))
            said.append(
                f"Negative control, {task}: of {len(found)} lines {', '.join(apart) or 'none'} can be told from "
                f"{config.gap.floor} (Holm); the farthest is {farthest}, {found[farthest].difference:+.4f} bits/byte."
            )
    return said


def purity(rows: Sequence[dict], config) -> list[str]:
    """Returns a sentence on how well the share of the target's own domains among the chosen predicts the loss of lines."""
    groups: dict[tuple, list[tuple[float, float]]] = {}
    losses = gap_closed.losses_by_line(rows)
    for row in rows:
        chosen, task = sum(row["selected"].values()), row["task"]
        if chosen and task not in config.gap.control:
            own = sum(row["selected"].get(name, 0) for name in row["target_domains"]) / chosen
            groups.setdefault((task, row["seed"]), []).append((own, -losses[row["line"], task, row["seed"]]))
    by_task: dict[str, list[float]] = {}
    for (task, _), pairs in groups.items():
        if len({own for own, _ in pairs}) > 2:
            by_task.setdefault(task, []).append(float(spearmanr(*zip(*pairs)).statistic))
    found = ", ".join(f"{task} {np.mean(each):.2f}" for task, each in by_task.items())
    told = "Rank correlation over lines of the share chosen from the target's own domains with the loss it lowers"
    return [f"{told}, mean over replicates: {found}."] if found else []


def _groups(rows: Sequence[dict], config) -> dict[str, Sequence[dict]]:
    """Returns the rows that have a gap of their own, by the beginning of a sentence about them."""
    by = config.gap.by
    if not by:
        return {"": rows}
    return {f"At {', '.join(by)} {value}: ": found for value, found in gap_by_value.by_value(rows, by).items()}


def _gate(gate: str, task: str, before: np.ndarray, after: np.ndarray, lines: tuple[str, str]) -> tuple[str, bool]:
    difference = before - after
    if gate == "A":
        share = difference.mean() / before.mean()
        passed = share < MOST_BY_PLACEBO
        said = f"{lines[1]} lowers the loss by {share:.2%} (less than {MOST_BY_PLACEBO:.1%} is asked for)"
    else:
        deviations = difference.mean() / max(difference.std(ddof=1), np.finfo(float).tiny)
        passed = bool(deviations >= FEWEST_DEVIATIONS)
        said = (
            f"{lines[1]} lies {deviations:.1f} paired deviations below {lines[0]} ({FEWEST_DEVIATIONS:g} or more are asked for)"
        )
    return f"Gate {gate}, {task}: {'passed' if passed else 'not passed'}; {said}.", bool(passed)
