"""Requests on tiny texts, and a selection that is made once."""

import json

import pytest

from gotd_jax import tool


@pytest.fixture(scope="session")
def asked(tiny_model, texts):
    """Returns a function from fields to a request for sea, law and food, chosen for a task about food by a tiny model."""

    def ask(**fields):
        pool = [f"{name}={texts / f'{name}.jsonl'}" for name in ("sea", "law", "food")]
        given = {"pool": pool, "target": f"task={texts / 'train.jsonl'}", "budget": "20", "model": str(tiny_model)}
        return tool.Request(**given | {"max_length": 32} | fields)

    return ask


@pytest.fixture(scope="session")
def chosen(asked, tmp_path_factory):
    """Returns a selection of 20 chunks by got_d, in two parts."""
    return tool.select(asked(parts=2), tmp_path_factory.mktemp("selection") / "chosen")


@pytest.fixture(scope="session")
def lines():
    """Returns a function that writes texts, or rows, as JSON Lines."""

    def write(path, rows):
        rows = [row if isinstance(row, dict) else {"text": row} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
