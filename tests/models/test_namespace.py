"""The public names of `gotd_jax.models`."""

import subprocess
import sys

import pytest

from gotd_jax import models


def test_every_public_name_is_there():
    assert {getattr(models, name).__name__ for name in models.__all__} == {*models.__all__}
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        models.lode  # noqa: B018


def test_nothing_heavy_is_imported_before_a_name_is_asked_for():
    program = "import sys, gotd_jax.models; print(sorted(set(sys.modules) & {'jax', 'flax', 'transformers'}))"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "[]\n"
