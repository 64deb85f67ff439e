"""What the columns of the tables of writing and of zero-shot tasks are called; an arrow points to what is better."""

EMT_TOXIC = "EMT toxic ↓"  # expected maximum toxicity of a prompt's continuations
EMT_NONTOXIC = "EMT non-toxic ↓"
TP_TOXIC = "TP toxic ↓"  # toxicity probability: share of prompts with a continuation at 0.5 or above
TP_NONTOXIC = "TP non-toxic ↓"
PERPLEXITY = "PPL ↓"  # of held-out texts of the pool
UTILITY = "utility ↑"  # mean accuracy of zero-shot tasks, times 100
FLUENCY = "fluency PPL ↓"  # of what was written, under the base model
LENGTH = "length"  # tokens
DISTINCT = {order: f"distinct-{order} ↑" for order in (1, 2, 3)}
MAJORITY = "majority class"  # the line of always giving the commonest answer


def accuracy(task: str, scoring: str = "") -> str:
    """Returns the column of a zero-shot task's accuracy, times 100, by a way of scoring where it is not the table's own."""
    return f"{task}, {scoring} ↑" if scoring else f"{task} ↑"
