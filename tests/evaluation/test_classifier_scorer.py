"""Published classifiers as scorers: tiny random ones as folders, and their probabilities by hand and by PyTorch."""

import json

import numpy as np
import pytest
from scipy.special import expit, softmax

from gotd_jax import models
from gotd_jax.data.corpus import Corpus
from gotd_jax.data.tokens import load_tokenizer, tokenise
from gotd_jax.evaluation import toxicity
from gotd_jax.evaluation.classifier_scorer import probabilities, toxic_output
from gotd_jax.evaluation.predictions import predict
from tests.training.small import CONFIG, save_tokenizer

WORDS = [f"w{place}" for place in range(35)]
RANDOM = np.random.default_rng(0)
TEXTS = [" ".join(RANDOM.choice(WORDS, length)) for length in RANDOM.integers(1, 30, 40)] + ["", "w1 " * 500]
MULTI, SINGLE = "multi_label_classification", "single_label_classification"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer"), WORDS)


def saved(folder, tokenizer, labels, problem, seed=0):
    loaded = models.initialise(CONFIG, "classifier", outputs=len(labels), seed=seed)
    return models.save(folder / "model", loaded, tokenizer_from=tokenizer, labels=labels, problem=problem)


def edit_config(folder, **changes):
    content = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def outputs(folder):
    model = models.load(folder, "classifier")
    tokens = tokenise(load_tokenizer(folder), Corpus.from_texts(TEXTS), CONFIG.max_positions)
    return predict(model.definition, model.params, tokens, batch_size=32, max_length=CONFIG.max_positions)


CASES = [
    (["toxic", "insult"], MULTI, lambda logits: expit(logits[:, 0])),
    (["severe_toxic", "Toxicity"], MULTI, lambda logits: expit(logits[:, 1])),
    (["neutral", "toxic"], SINGLE, lambda logits: softmax(logits, 1)[:, 1]),
    (["TOXIC", "neutral"], SINGLE, lambda logits: softmax(logits, 1)[:, 0]),
    (["LABEL_0", "LABEL_1"], SINGLE, lambda logits: softmax(logits, 1)[:, 1]),
]


@pytest.mark.parametrize("labels, problem, expected", CASES, ids=lambda value: str(value) if not callable(value) else "")
def test_the_score_is_the_toxic_ones_probability(labels, problem, expected, tmp_path, tokenizer):
    folder = saved(tmp_path, tokenizer, labels, problem)
    scores = toxicity.load(folder).score(TEXTS)
    np.testing.assert_allclose(scores, expected(outputs(folder)), rtol=0, atol=1e-6)
    assert scores.dtype == np.float32 and len(np.unique(scores)) > 10


def test_a_regressions_output_is_taken_as_it_is_and_a_small_overshoot_cut():
    plain = {"problem_type": "regression"}
    found = probabilities(np.float32([[-0.2], [0.3], [1.2], [-0.3], [1.5]]), *toxic_output(plain, 1, "it"))
    np.testing.assert_array_equal(found, np.float32([0, 0.3, 1, -0.3, 1.5]))  # `Scorer.score` refuses the last two


def test_of_independent_labels_and_of_one_the_sigmoid_is_taken():
    labels = ["obscene", "severe_toxic", "toxic", "threat", "insult", "identity_hate"]
    named = {"id2label": {str(place): label for place, label in enumerate(labels)}, "problem_type": MULTI}
    logits = RANDOM.normal(size=(5, 6)).astype(np.float32)
    np.testing.assert_array_equal(probabilities(logits, *toxic_output(named, 6, "it")), expit(logits[:, 2]))
    one = {"id2label": {"0": "toxicity"}, "problem_type": SINGLE}
    np.testing.assert_array_equal(probabilities(logits[:, :1], *toxic_output(one, 1, "it")), expit(logits[:, 0]))


def test_a_configuration_without_a_problem_is_read_by_its_outputs():
    assert toxic_output({"id2label": {"0": "neutral", "1": "toxic"}}, 2, "it") == (SINGLE, 1)
    assert toxic_output({}, 2, "it") == (SINGLE, 1)
    assert toxic_output({}, 1, "it") == (MULTI, 0)


def test_labels_of_which_none_is_surely_toxicity_are_listed(subtests):
    cases = [
        (["negative", "positive"], SINGLE),
        (["toxic", "toxicity"], MULTI),
        (["neutral", "toxic", "very toxic"], SINGLE),
        (["insult", "threat"], MULTI),
        (["harmless"], "regression"),
        (["neutral", "toxic"], "ranking"),
    ]
    for labels, problem in cases:
        with subtests.test(labels=labels):
            named = {"id2label": {str(place): label for place, label in enumerate(labels)}, "problem_type": problem}
            with pytest.raises(ValueError, match=f"it has the labels {', '.join(labels)} and the problem_type {problem}"):
                toxic_output(named, len(labels), "it")


def test_many_labels_without_a_problem_are_refused_with_the_remedy(tmp_path, tokenizer):
    folder = saved(tmp_path, tokenizer, ["toxic", "insult", "threat"], MULTI)
    edit_config(folder, problem_type=None)
    with pytest.raises(ValueError, match=r"labels toxic, insult, threat exclude each other. Write into it a problem_type"):
        toxicity.load(folder)


def test_a_classifier_with_a_part_missing_is_refused(tmp_path, tokenizer):
    from safetensors.numpy import load_file, save_file

    folder = saved(tmp_path, tokenizer, ["neutral", "toxic"], SINGLE)
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "pooler" not in name}
    assert len(kept) < len(tensors)
    save_file(kept, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"lacks head\.pooler, so its scores would be random"):
        toxicity.load(folder)


def test_the_version_changes_with_weights_labels_and_tokeniser_and_not_with_the_place(tmp_path, tokenizer):
    def version(name, labels=("neutral", "toxic"), seed=0, words=WORDS):
        own = save_tokenizer(tmp_path / f"{name} words", words)
        return toxicity.load(saved(tmp_path / name, own, list(labels), SINGLE, seed)).version

    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).mkdir()
    first = version("a")
    assert version("b") == first
    assert len({first, version("c", seed=1), version("d", ["toxic", "neutral"]), version("e", words=WORDS[::-1])}) == 4


@pytest.mark.parity
@pytest.mark.parametrize(
    "labels, problem", [(["toxic", "insult", "threat"], MULTI), (["neutral", "toxic"], SINGLE), (["toxic"], MULTI)]
)
@pytest.mark.parametrize("model_type", ["bert", "roberta", "distilbert"])
def test_scores_equal_the_pipeline_of_transformers(model_type, labels, problem, tmp_path):
    import transformers

    from third_party import torch_models

    model = torch_models.build(model_type, "classifier", seed=5, outputs=len(labels), max_position_embeddings=66)
    model.config.id2label, model.config.problem_type = dict(enumerate(labels)), problem
    model.config.label2id = {label: place for place, label in enumerate(labels)}
    model.save_pretrained(tmp_path)
    save_tokenizer(tmp_path, WORDS)
    texts = [text for text in TEXTS if len(text.split()) <= 60]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    pipeline = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None, device="cpu")
    expected = [next(entry["score"] for entry in entries if entry["label"] == "toxic") for entries in pipeline(texts)]
    np.testing.assert_allclose(toxicity.load(tmp_path).score(texts), expected, rtol=0, atol=1e-5)
