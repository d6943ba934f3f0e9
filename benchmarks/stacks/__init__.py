"""The baselines, each a program of its own: ``python -m benchmarks.stacks.NAME PORT``."""
