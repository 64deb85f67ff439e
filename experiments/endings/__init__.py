"""How a cell can end, by `config.evaluation`."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.endings.detoxification import Detoxification
from experiments.endings.ending import Ending
from experiments.endings.fine_tuning import FineTuning
from experiments.endings.held_out_loss import LossOnDomains
from experiments.endings.multiple_choice import MultipleChoice
from experiments.endings.probing import Probing
from experiments.endings.selection_quality import SelectionQuality

ENDINGS: Mapping[str, type[Ending]] = {
    "finetune": FineTuning,
    "toxicity": Detoxification,
    "choices": MultipleChoice,
    "selection": SelectionQuality,
    "loss": LossOnDomains,
    "probes": Probing,
}
