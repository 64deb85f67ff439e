"""Measures of models: toxicity and form of their continuations, likelihood, multiple choice, the evaluation harness."""
