"""The chest: its sizes, and its parts as bodies and tubes that rays cross."""
