"""Postbacks: which a step makes, in whose words, and how they reach the customer's program."""
