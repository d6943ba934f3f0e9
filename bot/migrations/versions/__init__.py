"""One file a revision, named NUMBER_what.py; frozen once released."""
