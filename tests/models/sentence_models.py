"""A tiny model as sentence-transformers keeps one."""

import json
import shutil

TYPES = ("sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling")


def sentence_model(source, folder, *, types=TYPES, pooling=None):
    """Writes the model of the folder `source` with `modules.json`, `1_Pooling` and a length of 64 tokens into `folder`."""
    shutil.copytree(source, folder)
    names = [kind.rpartition(".")[2] for kind in types]
    paths = ["" if name == "Transformer" else f"{place}_{name}" for place, name in enumerate(names)]
    write_json(
        folder / "modules.json",
        [{"idx": i, "name": str(i), "path": p, "type": t} for i, (p, t) in enumerate(zip(paths, types))],
    )
    if "Pooling" in names:
        inside = folder / paths[names.index("Pooling")]
        inside.mkdir()
        write_json(inside / "config.json", pooling or {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    return folder


def write_json(path, content):
    path.write_text(json.dumps(content))
