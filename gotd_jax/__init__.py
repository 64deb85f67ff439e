"""Choose the text that best prepares a language model for a task, and measure what that bought.

The pipeline is a sentence, and each word of it is a module:

    texts -> tokens -> embeddings -> potentials -> selection -> pre-fine-tuned -> fine-tuned -> score -> table
"""

__version__ = "0.1.0"
