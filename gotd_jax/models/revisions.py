"""Commits of the hub's models that the configs name: what is read where a name says no revision itself.

Each has its weights as safetensors at that commit; where a repository's newest has pickles alone, it is the converted copy
proposed to it. That the commits exist is taken from the hub's pages; none was downloaded by us.
"""

REVISIONS = {
    "bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "gpt2-xl": "15ea56dee5df4983c59b2538573817e1667135e2",
    "EleutherAI/gpt-neo-2.7B": "e24fa291132763e59f4a5422741b424fb5d59056",
    "sentence-transformers/all-MiniLM-L6-v2": "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    "ishan/bert-base-uncased-mnli": "6d07ba1bf15b6fad4479514e7679f0c8e9c793c0",  # its main has pickles alone
    "unitary/toxic-bert": "4d6c22e74ba2fdd26bc4f7238f50766b045a0d94",
    "unitary/unbiased-toxic-roberta": "91650552a4f31b7120c36680cfa47ddd47676b48",  # its main has pickles alone
    "tomh/toxigen_roberta": "bd3c36d7dc6424a02a599879b02b4faadfc246f5",  # its main has pickles alone
}
