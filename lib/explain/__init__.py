"""Explanations: which places of a picture an output of a classifier looks at.

A method is a function of a classifier, its images and what it takes of `targets`, `layer` and `head`; it
returns one map per image, one value per place. One line in `METHODS`, one in `DESCRIPTIONS`; called
through `lib.explain.explain`, which checks what a person chose.
"""

METHODS = {
    "attention": "lib.explain.attention:attention",
    "cam": "lib.explain.cam:cam",
    "eigen_cam": "lib.explain.eigen_cam:eigen_cam",
    "grad_cam": "lib.explain.library_cam:grad_cam",
    "grad_cam_plus_plus": "lib.explain.library_cam:grad_cam_plus_plus",
    "layer_cam": "lib.explain.library_cam:layer_cam",
    "relevance": "lib.explain.relevance:relevance",
    "rollout": "lib.explain.rollout:rollout",
}
"""Names of the methods, and where they are."""

DESCRIPTIONS = {
    "attention": "attention weights of one block, from what is pooled to every patch (looks at no finding)",
    "cam": "class activation: the head's weights over the final feature of every place (REFERS, Figure 3)",
    "eigen_cam": "Eigen-CAM: first principal component of the feature maps (looks at no finding)",
    "grad_cam": "Grad-CAM: feature maps weighted by their mean gradient",
    "grad_cam_plus_plus": "Grad-CAM++: feature maps weighted by their positive gradients",
    "layer_cam": "LayerCAM: feature maps weighted place by place by their positive gradients",
    "relevance": "relevance: attention weighted by its gradient, through all blocks (Chefer et al. 2021)",
    "rollout": "attention rollout: attention multiplied through the blocks (looks at no finding)",
}
"""What the map of each method is, for captions."""

OF_ATTENTION = ("attention", "relevance", "rollout")
"""Methods that read attention weights, so they need an encoder that has some."""
