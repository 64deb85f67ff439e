"""Running a config: `main.py` walks the sweep, `cell.py` is the pipeline, `stages.py` its steps on disk."""
