"""The benchmarks of `experiments.benchmark`."""
