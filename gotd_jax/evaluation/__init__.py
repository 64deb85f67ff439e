"""The measures of a model: metrics of tasks, likelihoods, losses, and toxicity, length and diversity of generated text."""
