"""Carriers: their profiles, which of them takes a number, what they take, and the MM7 client."""
