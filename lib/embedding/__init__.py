"""Maps of features and what they are worth: projections, neighbours, confounders, words that tell a group."""

METHODS = {
    "pca": "lib.embedding.project:principal_components",
    "tsne": "lib.embedding.project:tsne",
    "umap": "lib.embedding.project:umap",
}
"""Ways to lay features out on a plane."""
