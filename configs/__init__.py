"""One file a table, figure or ablation; `common.py` holds every default."""
