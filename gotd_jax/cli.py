"""`gotd`: choose, from a large pool of text, what best prepares a language model for a task."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from pathlib import Path
from typing import Annotated

import tyro

from gotd_jax import tool
from gotd_jax.terminal import door, say, shown

Asked = Annotated[tool.Request, tyro.conf.arg(name="")]  # its fields are flags of their own
WIDTH = 100  # columns of the printed text
app = tyro.extras.SubcommandApp()
registry = tyro.constructors.ConstructorRegistry()


def main() -> None:
    """Runs the command line; an error that the user can correct ends it with a sentence."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("jax").setLevel(logging.ERROR)  # it warns of accelerators that are not there
    try:
        with door("gotd: "):
            if not {"-h", "--help"} & set(sys.argv):
                from gotd_jax import devices

                devices.prepare()
            app.cli(prog="gotd", description=__doc__, registry=registry)
    except KeyboardInterrupt:
        sys.exit("gotd: stopped. The same command goes on from here.")


@registry.primitive_rule
def options(field: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec | None:
    """Returns how a method's options are read, `--options buckets=5000 noise=0`; None for every other field."""
    if field.type_origin is not dict:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar="[NAME=VALUE ...]",
        instance_from_str=_named_values,
        is_instance=lambda given: isinstance(given, dict),
        str_from_instance=lambda given: [f"{name}={value}" for name, value in given.items()],
    )


def _named_values(words: list[str]) -> dict[str, str]:
    if lost := [word for word in words if "=" not in word]:
        raise ValueError(f"{lost[0]!r} is no option of a method: write name=value")
    return dict(word.split("=", 1) for word in words)


@app.command
def plan(request: Asked) -> None:
    """Print seconds, memory and disk of each stage of a selection, before they are spent."""
    say(tool.plan(request))


@app.command
def select(request: Asked, out: Path, work: Path | None = None) -> None:
    """Choose from a pool of text, and write the chosen text with its manifest and report.

    Args:
        request: pool, target, budget, and how to choose.
        out: The folder to write; it must not exist.
        work: Where texts and embeddings are kept for the next selection from the same pool; OUT.work by default.
    """
    chosen = tool.select(request, out, work=work)
    manifest = chosen.manifest
    pool = manifest["pool"]
    say(
        _wrapped(
            f"{out}: {len(chosen):,} chunks, {manifest['selected']['tokens']:,} tokens, chosen from {pool['candidates']:,} "
            f"candidates. Left out of the pool's {pool['pool']:,} chunks: {pool['near_duplicates']:,} near duplicates of one "
            f"that is a candidate, {pool['leaking']:,} with text to be tested on, {pool['unreadable']:,} of unknown tokens."
        )
    )
    for name, count in manifest["selected"]["domains"].items():
        say(f"  {count / len(chosen):6.1%}  {name}  ({pool['domains'][name] / pool['pool']:.1%} of the pool)")
    for warning in manifest["warnings"]:
        say(_wrapped(f"Warning: {warning}"))
    say(f"Open {out / 'report.html'} to see it. {work or f'{out}.work'} is for the next selection from this pool, or may go.")


@app.command
def explain(chosen: Annotated[Path, tyro.conf.Positional], row: int, most: int = 5) -> None:
    """Print the target texts that a chosen text serves, and how much.

    Args:
        chosen: The folder of a selection.
        row: Of the selection, from 0: its rank.
        most: How many target texts to print.
    """
    selection = tool.Chosen(chosen)
    served = selection.explain(row, most=most)
    record = selection.table.slice(row, 1).to_pylist()[0]
    value = "" if record["value"] is None else f", value {record['value']:.5g}"
    say(_wrapped(f"Row {row}, {record['id']} of {record['domain']}{value}: {record['text']}"))
    parts = selection.value_parts(row)
    if parts is not None:
        said = f"Its value is {parts[0]:.5g}, toward the target, less {parts[1]:.5g}, toward the pool itself"
        say(_wrapped(f"{said}; a part below 0 is that of a text nearer than most."))
    say(f"\nIt serves {record['target']}:")
    for text in (text for text in served if text.share >= 0.001):
        say(_wrapped(f"{text.share:6.1%}  {text.id}: {text.text}", indent="        "))


@app.command
def verify(chosen: Annotated[Path, tyro.conf.Positional]) -> None:
    """Check a selection's hashes, ids, counts, values and convergence; exit with 1 if a check fails.

    Args:
        chosen: The folder of a selection.
    """
    from gotd_jax.tool import verifying

    selection = tool.Chosen(chosen)
    checks = tool.verify(selection)
    for check in checks:
        say(f"{'FAIL' if check.faults else 'ok':4}  {check.claim}")
        for fault in check.faults:
            say(f"      {fault}")
    changed = verifying.changed(selection)
    say(f"{'note' if changed else 'ok':4}  Its sources and its method are unchanged.", *(f"      {fault}" for fault in changed))
    if any(check.faults for check in checks):
        sys.exit(1)


@app.command
def replay(chosen: Annotated[Path, tyro.conf.Positional], out: Path | None = None, work: Path | None = None) -> None:
    """Make a selection again and compare it byte for byte; exit with 1 if a file differs.

    Args:
        chosen: The folder of a selection.
        out: Where the new one is written; by default it is not kept.
        work: Where texts and embeddings are kept; by default all is made anew, and not kept.
    """
    differing = tool.replay(tool.Chosen(chosen), out, work=work)
    if differing:
        sys.exit(shown(f"gotd: made again, {len(differing)} files differ: {', '.join(differing)}."))
    say("Made again, byte for byte.")


@app.command
def diff(chosen: Annotated[Path, tyro.conf.Positional], other: Annotated[Path, tyro.conf.Positional]) -> None:
    """Print two selections side by side.

    Args:
        chosen: The folder of a selection.
        other: The folder of another selection.
    """
    found = tool.diff(tool.Chosen(chosen), tool.Chosen(other))
    of_each = (f"{found.shared / max(count, 1):.1%} of {count:,}" for count in found.chunks)
    say(f"{found.shared:,} texts are in both: {' and '.join(of_each)}.")
    if found.correlation is not None:
        say(f"Rank correlation of the values of what both pools hold: {found.correlation:.3f}.")
    for name, (one, two) in found.requests.items():
        say(f"  {name}: {one} | {two}")
    for name, (one, two) in found.domains.items():
        say(f"  {one:>9,} | {two:>9,}  {name}")
    for folder, texts in zip((chosen, other), found.alone):
        say(f"\nOnly in {folder}, the best:" if texts else f"\nNothing is only in {folder}.")
        for text in texts:
            say(_wrapped(f"  {textwrap.shorten(text, 300)}", indent="    "))


@app.command
def warm(
    model: str,
    selection: Path,
    out: Path,
    batch_size: int = 64,
    max_length: int = 295,
    epochs: int = 1,
    learning_rate: float = 1e-4,
    compute_dtype: str = "float32",
    seed: int = 0,
) -> None:
    """Pre-fine-tune a model on a selection, and write it as a Hugging Face folder.

    Args:
        model: A Hugging Face folder or hub name of an encoder or a causal language model, or a packaged model.
        selection: The folder of a selection, or any other text.
        out: The folder to write; a stopped run goes on.
        batch_size: Texts a step; of a causal language model blocks.
        max_length: Tokens of a text that are read; of a causal language model, tokens of a block.
        epochs: Passes over the selection.
        learning_rate: The highest; it falls linearly to 0.
        compute_dtype: float32 or bfloat16.
        seed: Of the order, the masks, dropout and a fresh head.
    """
    recipe = {"batch_size": batch_size, "max_length": max_length, "epochs": epochs, "learning_rate": learning_rate}
    say(f"Written to {tool.warm(model, selection, out, **recipe, compute_dtype=compute_dtype, seed=seed)}.")


def _wrapped(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent)
