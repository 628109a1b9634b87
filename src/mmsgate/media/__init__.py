"""Media: fetched, recognised by their bytes, checked in a cage, kept by their content."""
