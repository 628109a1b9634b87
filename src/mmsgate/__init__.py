"""A self-hosted MMS gateway."""
