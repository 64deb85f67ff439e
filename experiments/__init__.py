"""Running a config: `main.py` walks the sweep, `cell.py` is the pipeline, the other modules its inputs, steps and endings."""
