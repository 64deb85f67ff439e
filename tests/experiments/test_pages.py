"""Pages of measured tables: the heading says how they were made, and what a page says of a table is quoted to the letter."""

import re
from pathlib import Path

from experiments import pages
from gotd_jax import machine, provenance

ROOT = Path(__file__).parents[2]
READ = [ROOT / "README.md", *(path for path in ROOT.glob("[!.]*/**/README.md"))]  # not those of virtual environments
QUOTED = re.compile(r"<!-- from (\S+) -->\n(```text\n[\s\S]*?```\n|(?:\|.*\n)+)")  # a block of text, or a table
NUMBERS = re.compile(r"\d[\d,.]*")
HEADING = re.compile(r"^    (python -m .+)\n\n(Made on .+)$", re.MULTILINE)


def test_a_heading_names_command_commit_versions_and_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.orig_argv", ["/bin/python3", "-m", "experiments.main", "--config=configs/x.py", "--page=p.md"])
    pages.write(tmp_path / "x.md", "| a |\n")
    title, _, command, _, made, _, body = (tmp_path / "x.md").read_text().splitlines()
    assert (title, command, body) == ("# x", "    python -m experiments.main --config=configs/x.py", "| a |")
    now = provenance.now()
    assert f"at commit {now['commit'][:12]}" in made and now["versions"]["jax"] in made
    assert machine.describe()["processor"] in made and f"{machine.describe()['cores']} core" in made


def test_a_page_is_of_where_its_numbers_were_made_and_names_no_folder_of_here(tmp_path):
    there = {"processor": "Abacus", "instructions": [], "cores": 1, "memory": 3}
    made = provenance.now() | {"machine": there, "commit": "f" * 40, "modified": True}
    heading = pages.heading(made, ["python", "-m", "x", "--workdir", "y", "--config.data_dir=/home/me/glue", "--page=p"])
    assert "    python -m x --config.data_dir=/data/glue\n" in heading
    assert "at commit ffffffffffff and changes to it" in heading and "Abacus, 1 core (no AVX2), 3 GB" in heading


def quoted():
    return [(path, source, block) for path in READ for source, block in QUOTED.findall(path.read_text())]


def test_figures_in_a_readme_are_those_of_the_page_that_a_command_wrote():
    assert quoted()
    for path, source, block in quoted():
        lines = {line.strip() for line in (ROOT / source).read_text().splitlines()}
        for line in block.splitlines():
            assert line.strip() in lines or line.startswith("```"), f"{path.name} quotes what {source} does not hold: {line}"


def test_every_table_of_figures_in_a_readme_says_which_page_it_is_from():
    for path in READ:
        for line in QUOTED.sub("", path.read_text()).splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
            measured = sum(bool(NUMBERS.fullmatch(cell.replace("_", ""))) for cell in cells)
            assert measured < 2, f"{path.name} has figures that come from no page: {line}"


def test_every_page_says_by_which_command_and_where_it_was_made():
    for page in (ROOT / "experiments" / "results").glob("*.md"):
        found = HEADING.search(page.read_text(encoding="utf-8"))
        assert found, page.name
        command, made = found.groups()
        assert command.startswith("python -m experiments.") and " at commit " in made and " GB" in made, page.name


def test_links_of_the_readmes_lead_somewhere():
    for path in READ:
        for link in re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.relative_to(ROOT)} links to {link}"
