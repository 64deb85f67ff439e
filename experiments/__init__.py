"""Running a config: `main.py` walks the sweep, `cell.py` is the pipeline, `benchmark.py` measures."""
