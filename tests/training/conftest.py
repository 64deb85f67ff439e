import os

import pytest


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of other processes, which compile the same programs."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return {**os.environ, "JAX_PLATFORMS": "cpu", **cache}
