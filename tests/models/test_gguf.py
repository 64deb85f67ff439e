"""GGUF files: a tiny one written here by the package's own writer, and the packaged SmolLM2."""

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from gotd_jax import models
from gotd_jax.data.tokens import load_tokenizer
from gotd_jax.models import gguf_files
from gotd_jax.models.packaged import model_folder
from tests.models.helpers import assert_same_trees
from tests.models.test_decoder import REFERENCES, logits

NAMES = {  # Hugging Face's -> GGUF's, as llama.cpp has them
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LETTERS = list("abcdefghijklmnopqrstuvwxyz0123456789Ġ")


def gguf_name(name):
    if name in WHOLE:
        return WHOLE[name]
    _, _, layer, *module, leaf = name.split(".")
    return f"blk.{layer}.{NAMES['.'.join(module)]}.{leaf}"


def neighbours(rows, heads):
    """Rows whose halves are paired for rotation, as neighbours: what llama.cpp's converter does."""
    return rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def write(path, *, architecture="llama", splitter="smollm", leave_out=(), add=()):
    config = models.load(REFERENCES / "llama").config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(config.layers)
    writer.add_context_length(config.max_positions)
    writer.add_embedding_length(config.width)
    writer.add_feed_forward_length(config.mlp_width)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.key_heads)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_rope_freq_base(config.rotary_base)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitter)
    tokens = ["<|end|>", *LETTERS, "Ġa", "ab", *(f"<{number}>" for number in range(config.vocab_size - len(LETTERS) - 3))]
    writer.add_token_list(tokens)
    writer.add_token_types([3, *[1] * (config.vocab_size - 1)])
    writer.add_token_merges(["Ġ a", "a b"])
    writer.add_eos_token_id(0)
    for name, tensor in load_file(REFERENCES / "llama" / "model.safetensors").items():
        if "q_proj" in name or "k_proj" in name:
            tensor = neighbours(tensor, config.heads if "q_proj" in name else config.key_heads)
        if gguf_name(name) not in leave_out:
            writer.add_tensor(gguf_name(name), tensor)
    for name in add:
        writer.add_tensor(name, np.zeros(3, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_converted_model_is_the_one_that_was_written(tmp_path):
    write(tmp_path / "tiny.gguf")
    folder = gguf_files.convert(tmp_path / "tiny.gguf", tmp_path / "folder")
    found, expected = models.load(folder), models.load(REFERENCES / "llama")
    assert_same_trees(found.params, expected.params)
    assert found.config.end_ids == (0,)
    with np.load(REFERENCES / "llama" / "left.npz") as stored:
        rows = logits(found, stored["ids"], stored["mask"])[stored["mask"]]
        np.testing.assert_allclose(rows, stored["logits"][stored["mask"]], atol=1e-4)


def test_tokeniser_is_written_with_its_merges_digits_and_special_tokens(tmp_path):
    write(tmp_path / "tiny.gguf")
    tokenizer = load_tokenizer(gguf_files.convert(tmp_path / "tiny.gguf", tmp_path / "folder"))
    assert tokenizer.convert_ids_to_tokens(tokenizer("ab a12<|end|>")["input_ids"]) == ["ab", "Ġa", "1", "2", "<|end|>"]
    assert tokenizer.decode(tokenizer("ab a12")["input_ids"]) == "ab a12"
    assert tokenizer.eos_token_id == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "bloom"}, "architecture 'bloom', and only 'llama'"),
        ({"splitter": "deepseek"}, "'deepseek'.*gpt-2, smollm"),
        ({"leave_out": ("blk.1.attn_q.weight",)}, r"lacks the tensor blk\.1\.attn_q\.weight"),
        ({"add": ("blk.0.extra.weight",)}, r"no place for, first blk\.0\.extra"),
    ],
)
def test_what_is_not_read_is_told_and_nothing_is_written(tmp_path, change, message):
    write(tmp_path / "tiny.gguf", **change)
    with pytest.raises(ValueError, match=message):
        gguf_files.convert(tmp_path / "tiny.gguf", tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gguf"]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_truncated_files_are_refused(tmp_path, share):
    write(tmp_path / "tiny.gguf")
    content = (tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "tiny.gguf").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="no whole GGUF file"):
        gguf_files.convert(tmp_path / "tiny.gguf", tmp_path / "folder")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        gguf_files.convert(tmp_path / "none.gguf", tmp_path / "folder")


@pytest.mark.slow
def test_packaged_model_knows_the_capital_of_france():
    folder = model_folder("SmolLM2-135M-Instruct")
    loaded, tokenizer = models.load(folder), load_tokenizer(folder)
    ids = np.array([tokenizer("The capital of France is")["input_ids"]], np.int32)
    assert tokenizer.decode(logits(loaded, ids, np.ones_like(ids, bool))[0, -1].argmax()) == " Paris"
