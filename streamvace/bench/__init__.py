"""What a machine does with the pipelines, measured: `streamvace bench` and `benchmarks/gpu.py`."""
