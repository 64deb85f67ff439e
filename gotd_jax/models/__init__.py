"""Flax encoders with published weights: the replacement for the Flax models that `transformers` no longer has."""
