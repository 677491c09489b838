"""The science without a screen: data, models, losses, objectives, protocols, metrics."""
