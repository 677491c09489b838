"""What a look at all pictures of a store together shows: copies of one another, and odd ones out."""
