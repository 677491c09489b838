"""Parts of the methods: image and text encoders, fusion, decoder, heads."""

ENCODERS = {
    "efficientnet_lite": "lib.models.efficientnet_lite:EfficientNetLite",
    "radiograph_transformer": "lib.models.radiograph_transformer:RadiographTransformer",
    "resnet": "lib.models.resnet:ResNet",
}
"""Image encoders, by the name that a recipe uses."""
