import dataclasses
import io
import sys
import time

import jax
import numpy as np
from flax import nnx

from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.evaluation.predictions import _compiled_forward, evaluate, predict
from gotd_jax.progress import Log
from tests.training.small import model_of, random_tokens, save_tokenizer

MODEL = model_of("classifier", 3)
TOKENS = random_tokens(21, longest=40)


def predictions(batch_size, tokens=TOKENS, max_length=64):
    return predict(MODEL.definition, MODEL.params, tokens, batch_size=batch_size, max_length=max_length)


def test_predictions_are_those_of_each_text_by_itself_in_order():
    forward = jax.jit(lambda params, ids, mask: nnx.merge(MODEL.definition, params)(ids, mask, jax.numpy.zeros_like(ids)))
    ours = predictions(8)
    for row in range(len(TOKENS)):
        ids = TOKENS.ids[TOKENS.offsets[row] : TOKENS.offsets[row + 1]]
        padded = np.zeros((1, 40), np.int32)
        padded[0, : len(ids)] = ids
        np.testing.assert_allclose(
            ours[row], forward(MODEL.params, padded, np.arange(40)[None] < len(ids))[0], rtol=0, atol=1e-5
        )
    assert ours.dtype == np.float32 and ours.shape == (21, 3)


def test_predictions_do_not_depend_on_the_batch_size():
    np.testing.assert_allclose(predictions(5), predictions(8), rtol=0, atol=1e-5)
    np.testing.assert_allclose(predictions(64), predictions(8), rtol=0, atol=1e-5)


def test_few_programs_are_compiled():
    _compiled_forward.cache_clear()
    predictions(4, random_tokens(200, longest=60))
    predictions(4, random_tokens(90, longest=64, seed=1))
    assert _compiled_forward(MODEL.definition)._cache_size() == 2  # 32 and 64 wide


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_with_rate_and_time_left_on_a_terminal_and_nowhere_else(monkeypatch):
    said = []
    monkeypatch.setattr(Log, "printed", time.monotonic())
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        predictions(8)
        said.append(stream.getvalue())
    assert "predicting: " in said[0] and "0/21 [00:00<?, ? texts/s]" in said[0] and said[1] == ""


def test_evaluation_is_the_score_of_the_predictions_on_the_examples_texts(tmp_path):
    words = [f"w{place}" for place in range(35)]
    model = dataclasses.replace(MODEL, source=save_tokenizer(tmp_path, words))
    random = np.random.default_rng(0)
    corpus = Corpus.from_texts([" ".join(random.choice(words, 6)) for _ in range(10)])
    sizes = {"batch_size": 8, "max_length": 6}
    tokens = tokenise(load_tokenizer(tmp_path), corpus, 6)
    labels = predict(MODEL.definition, MODEL.params, tokens, **sizes).argmax(1).astype(np.int32)
    labels[:3] = (labels[:3] + 1) % 3
    examples = dataclasses.make_dataclass("Examples", ["corpus", "labels"])(corpus, labels)
    assert evaluate(model, model.params, examples, ["accuracy"], **sizes) == {"accuracy": 0.7}
