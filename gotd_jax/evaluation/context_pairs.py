"""Contexts and continuations as tokens, the way the language-model evaluation harness makes them (Gao et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Pair = tuple[Sequence[int], Sequence[int]]


def prefix_id(tokenizer) -> int:
    """Returns the token that stands where there is no context: the tokeniser's beginning of a text, or else its end.

    Raises:
      ValueError: it has neither token.
    """
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return token
    raise ValueError(
        "The tokeniser has neither a token that begins a text nor one that ends it, so that nothing can be scored without a "
        "context. Set bos_token or eos_token in tokenizer_config.json."
    )


def encode(tokenizer, text: str, special: bool | None = None) -> list[int]:
    """Returns the tokens of `text`.

    Args:
      tokenizer: a Hugging Face tokeniser.
      text: any text.
      special: whether the tokeniser adds its special tokens; None: as by its default, but not to a text that begins with the
        prefix already.
    """
    if special is None and not text.startswith(tokenizer.decode([prefix_id(tokenizer)])):
        return tokenizer.encode(text)
    return tokenizer.encode(text, add_special_tokens=bool(special))


def encode_pair(tokenizer, context: str, continuation: str) -> tuple[list[int], list[int]]:
    """Returns the tokens of a context and those of its continuation, as a model reads the two as one text.

    White space at the context's end goes to the continuation, whose words begin with it. Without a context the model's
    `prefix_id` stands in its place.

    Raises:
      ValueError: the continuation adds no token.
    """
    kept = context.rstrip()
    if kept:
        whole = encode(tokenizer, context + continuation)
        before = encode(tokenizer, kept)
        tokens = before, whole[len(before) :]
    else:
        prefix = prefix_id(tokenizer)
        whole = encode(tokenizer, context + continuation, special=False)
        tokens = (whole[:1], whole[1:]) if whole[:1] == [prefix] else ([prefix], whole)
    if not tokens[1]:
        raise ValueError(
            f"{continuation!r} adds no token to {context[-40:]!r}, so there is nothing to score. Correct the item."
        )
    return tokens


def rolling(tokens: Sequence[int], prefix: int, max_length: int) -> Iterator[Pair]:
    """Yields pairs whose continuations are `tokens` in order, each of them once.

    Each pair fills a window of `max_length`; the first follows `prefix`, the later ones the token before them, and the last
    reaches back to fill its window.
    """
    for start in range(0, len(tokens), max_length):
        stop = min(start + max_length, len(tokens))
        begin = max(stop - max_length, 0)  # of the tokens that are predicted or only read
        window = [prefix, *tokens[:stop]] if begin == 0 else tokens[begin - 1 : stop]
        read = len(window) - (stop - start)
        yield window[:read], window[read:]
