"""What a message, a slide, a carrier and a report are. Nothing in here does IO."""
