"""The dataset card of a selection: metadata by which `datasets` loads it, and its composition for a reader."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

from gotd_jax.artifacts import fingerprint
from gotd_jax.checksums import sha256
from gotd_jax.report.rendering import markdown_lines

NAME = "README.md"


def write(folder: Path, manifest: Mapping) -> None:
    """Writes the dataset card of a selection, README.md, from its manifest, beside its parts, which must be there already."""
    from huggingface_hub import DatasetCardData

    request, pool, selected = (manifest[key] for key in ("request", "pool", "selected"))
    chosen = {name: selected["domains"].get(name, 0) for name in pool["domains"]}
    parts = {
        "config_name": "default",
        "data_files": f"part-*.{request['format']}",
        # `datasets` tells folders of one name apart by this description, not by their files
        "description": f"chunks {fingerprint([sha256(path) for path in sorted(folder.glob('part-*'))])}",
    }
    metadata = DatasetCardData(configs=[parts], tags=["data-selection", "gotd_jax"])
    rows = [
        [html.escape(name), f"{count:,}", f"{chosen[name]:,}", f"{chosen[name] / selected['chunks']:.1%}"]
        for name, count in pool["domains"].items()
    ]
    lines = [
        "---",
        metadata.to_yaml(),
        "---",
        "",
        f"# {selected['chunks']:,} chunks chosen by {request['method']}",
        "",
        f"{selected['chunks']:,} of {pool['candidates']:,} candidates, {selected['tokens']:,} tokens, chosen within a budget "
        f"of {request['budget']} for {', '.join(target['name'] for target in manifest['targets'])}, best first. "
        f"Of the {pool['pool']:,} chunks of the pool, {pool['near_duplicates']:,} were left out as near duplicates of another, "
        f"{pool['leaking']:,} since they hold text to be tested on, and {pool['unreadable']:,} since the model knows next "
        "to none of their tokens.",
        "",
        *markdown_lines([["domain", "in the pool", "chosen", "of the selection"], *rows]),
        "",
        "A row has `id`, `domain`, `text`, `value` (lower is better), `rank`, `row` in the pool, `tokens` and `target`.",
        "",
        '    datasets.load_dataset("<this folder>", split="train")',
        "",
        "`manifest.json` names its inputs and versions; `report.html` shows it; `gotd verify` checks it.",
        *[f"\n> Warning: {warning}" for warning in manifest["warnings"]],
    ]
    (folder / NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
