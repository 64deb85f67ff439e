"""Names of the columns of detoxification, zero-shot and selection tables; an arrow points to the better values."""

EMT_TOXIC = "EMT toxic ↓"  # expected maximum toxicity of a prompt's continuations
EMT_NONTOXIC = "EMT non-toxic ↓"
TP_TOXIC = "TP toxic ↓"  # toxicity probability: share of prompts with a continuation at 0.5 or above
TP_NONTOXIC = "TP non-toxic ↓"
PERPLEXITY = "PPL ↓"  # of held-out texts of the pool
UTILITY = "utility ↑"  # mean accuracy of zero-shot tasks, times 100
FLUENCY = "fluency PPL ↓"  # of the continuations, under the base model
LENGTH = "length"  # tokens
DISTINCT = {order: f"distinct-{order} ↑" for order in (1, 2, 3)}
EXACT = "of the exact selection, % ↑"
HELD_OUT = "held-out OT, % of the pool's ↓"
DIVERGENCE = "held-out divergence, % ↓"
COVERAGE = "coverage, % ↑"
SERVED = "targets served"  # an effective number; a random selection serves many
MARGINAL = "marginal error, % ↓"
PASSES = "passes ↓"
SECONDS = "solve, s ↓"
HOME = "from its own domains, % ↑"
MAJORITY = "majority class"  # the line of always giving the commonest answer


def accuracy(task: str, scoring: str = "") -> str:
    """Returns the column of a zero-shot task's accuracy, times 100, by a way of scoring where it is not the table's own."""
    return f"{task}, {scoring} ↑" if scoring else f"{task} ↑"


def loss(text: str) -> str:
    """Returns the column of a language model's loss on held-out text."""
    return f"{text}, bits/byte ↓"


def probe(task: str, metric: str, labels: int) -> str:
    """Returns the column of probes of so many labels, by a metric or by their log-loss."""
    return f"{task}: {metric.replace('_', '-')}, {labels} labels {'↓' if metric == 'log_loss' else '↑'}"


def by_second(column: str) -> str:
    """Returns the column of the second judge for a column of the first."""
    name, arrow = column.rsplit(" ", 1)
    return f"{name}, second judge {arrow}"


def share_of(domain: str) -> str:
    """Returns the column of the share of a selection that comes from a domain, in percent."""
    return f"from {domain}, %"


def sense(column: str) -> int:
    """Returns 1 where more is better, -1 where less is, as the column's arrow says, and 0 where it has none."""
    return 1 if "↑" in column else -1 if "↓" in column else 0
