"""The measures of a model: metrics of tasks, likelihoods and losses, and the toxicity and form of the text it writes."""
