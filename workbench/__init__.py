"""What a person touches: command line, recipes, runs, figures, notebooks."""
