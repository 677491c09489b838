"""Features of checkpoints laid out as maps: which pictures, coloured by what, and what the maps are worth."""
