"""What `deploy/` says, as far as a machine without containers can check it."""
