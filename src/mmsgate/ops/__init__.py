"""What an operator's tools ask of a process: is it alive, is it ready, what are its numbers; and traces."""
