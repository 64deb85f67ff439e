"""Corpora, readers, chunks, named pools and tasks, tokens, batches."""
