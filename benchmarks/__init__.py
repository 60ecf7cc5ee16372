"""What Surefoot claims, measured. `python -m benchmarks` lists them; `python -m benchmarks NAME` runs one and writes results/NAME.json."""
