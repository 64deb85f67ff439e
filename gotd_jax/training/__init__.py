"""Training: objectives, recipes, the one training loop, evaluation and metrics."""
