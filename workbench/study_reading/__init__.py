"""What a pre-training reads off the views of a study: word by word, or for a phrase that a person types."""
