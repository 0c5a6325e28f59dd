"""What the client costs, beside the least that the same data can cost. `python -m benchmarks` runs all of it."""
