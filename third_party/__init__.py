"""Adapters to other people's packages: references for tests and benchmarks, never imported by gotd_jax."""
