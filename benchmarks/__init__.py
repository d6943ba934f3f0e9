"""How fast the server is beside what one would otherwise pick: ``python -m benchmarks``."""
