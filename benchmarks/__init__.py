"""What is measured, each with the script that measures it; results in benchmarks/results/."""
