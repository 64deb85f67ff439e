"""All that the configs read, tiny, under the names and in the layouts that they ask for."""

import json

import numpy as np

from gotd_jax import models
from gotd_jax.data import domain_tasks, glue
from gotd_jax.data.published_pools import PUBLISHED_POOLS
from gotd_jax.models.config import EncoderConfig
from gotd_jax.models.config_json import from_hf
from tests.conftest import WORDS, sentence

ENCODERS = {
    "bert-base-uncased": "bert",
    "ishan/bert-base-uncased-mnli": "bert",
    "sentence-transformers/all-MiniLM-L6-v2": "bert",
    "distilbert-base-uncased": "distilbert",
}
SCORERS = ("unitary/toxic-bert", "unitary/unbiased-toxic-roberta", "tomh/toxigen_roberta")
DECODERS = ("gpt2", "gpt2-xl", "EleutherAI/gpt-neo-2.7B")
CHUNKS = 12  # of each domain, of 1,000 characters


def write_glue(root):
    """Writes the eight tasks of Table 4 in GLUE's own files, 24 rows to train and 12 to test on."""
    rng = np.random.default_rng(0)
    for name in glue.TABLE_4:
        spec = glue.GLUE[name]
        (root / spec.folder).mkdir(parents=True)
        for file, count in zip(spec.files, (24, 12)):
            lines = [] if isinstance(spec.text, int) else ["\t".join(["index", spec.text, spec.pair or "other", spec.label])]
            for number in range(count):
                written = spec.written or spec.classes or ("1.5", "4.0")
                one, other = (f"{sentence(rng, 'food', 8)} {number}" for _ in range(2))
                label = written[number % len(written)]
                cells = ["source", label, "", one] if isinstance(spec.text, int) else [str(number), one, other, label]
                lines.append("\t".join(cells))
            (root / spec.folder / file).write_text("\n".join(lines) + "\n")
    return root


def write_domain_tasks(root):
    """Writes the eight tasks of Don't Stop Pretraining, four labels each."""
    rng = np.random.default_rng(1)
    for name in domain_tasks.DOMAIN_TASKS:
        (root / name).mkdir(parents=True)
        for split, count in zip(domain_tasks.SPLITS, (24, 8, 12)):
            rows = [{"text": f"{sentence(rng, 'law', 30)} {number}", "label": str(number % 4 + 1)} for number in range(count)]
            _write(root / name / f"{split}.jsonl", rows)
    return root


def field_of(name):
    return PUBLISHED_POOLS[name].text_field


def write_pools(root, names):
    """Writes a file of texts for each domain, in the field that the paper's pool of that name has."""
    rng = np.random.default_rng(2)
    for name in names:
        field = field_of(name)
        texts = (" ".join(f"{name} {word}" for word in rng.choice(WORDS["sea"], 120)) for _ in range(CHUNKS))
        _write(root / f"{name}.jsonl", [{"id": f"{name}{number}", field: text} for number, text in enumerate(texts)])
    return {name: str(root / f"{name}.jsonl") for name in names}


def write_models(root, tokenizer_from, decoder):
    """Writes tiny models under the hub's names: encoders, classifiers of toxicity, GPT-2 and GPT-Neo."""
    size = json.loads((tokenizer_from / "config.json").read_text())["vocab_size"]
    sizes = {"vocab_size": size, "width": 32, "layers": 1, "heads": 2, "mlp_width": 64, "max_positions": 128}
    for name, family in ENCODERS.items():
        own = {"type_vocab_size": 2} if family == "bert" else {"type_vocab_size": 0, "classifier_dropout": 0.2}
        config = EncoderConfig(model_type=family, **own, **sizes)
        _save(root / name, models.initialise(config, seed=0), tokenizer_from)
    for seed, name in enumerate(SCORERS):
        model = models.initialise(
            EncoderConfig(model_type="bert", type_vocab_size=2, **sizes), "classifier", outputs=2, seed=seed
        )
        _save(root / name, model, tokenizer_from, labels=["neutral", "toxic"], problem="single_label_classification")
    content = json.loads((decoder / "config.json").read_text())
    neo = {"model_type": "gpt_neo", "hidden_size": 32, "num_layers": 2, "num_heads": 2, "max_position_embeddings": 64}
    neo |= {"vocab_size": content["vocab_size"], "attention_types": [[["global", "local"], 1]], "window_size": 8}
    for name in DECODERS:
        model = models.load(decoder) if "neo" not in name else models.initialise(from_hf(neo), seed=0)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        models.save(root / name, model, tokenizer_from=decoder)
    return root


def _save(folder, model, tokenizer_from, **options):
    folder.parent.mkdir(parents=True, exist_ok=True)
    models.save(folder, model, tokenizer_from=tokenizer_from, **options)


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
