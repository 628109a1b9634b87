"""The north side: HTTP routes that read a dialect, call one workflow of accept, and write the answer."""
