"""The talk: one message in, one reply out."""
