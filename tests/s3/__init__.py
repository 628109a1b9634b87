"""An S3 server for tests: moto's, in a process of its own, on a port of its own, with a clock that can be set."""
