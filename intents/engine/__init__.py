"""The machine that understands: pure functions and small classes over the catalogue's data."""
