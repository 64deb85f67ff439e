"""Training: objectives, recipes, batches, the one training loop, pre-fine-tuning and fine-tuning."""
