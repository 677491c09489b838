"""Sections of a recipe become complete, and become parts."""

import pytest

from lib.models.encoder import make_encoder
from lib.models.radiograph_transformer import RadiographTransformer
from lib.models.resnet import ResNet
from workbench.recipe import PROJECT
from workbench.sections import read_encoder


def test_every_encoder_gets_the_fields_that_it_has():
    section = read_encoder({"name": "resnet", "depth": 18, "image_size": 64}, where="here")
    assert section == {"name": "resnet", "depth": 18, "image_size": 64, "weights": "", "base_width": 64}
    encoder = make_encoder(section)
    assert isinstance(encoder, ResNet) and encoder.width == 512 and encoder.image_size == 64
    section = read_encoder({"name": "radiograph_transformer", "width": 24, "num_heads": 2}, where="here")
    assert section["preset"] == "paper"
    assert isinstance(make_encoder(section | {"depth": 1}), RadiographTransformer)


def test_a_preset_belongs_to_encoders_that_have_one():
    with pytest.raises(ValueError, match="here: preset.*Known keys: depth, image_size, weights, base_width"):
        read_encoder({"name": "resnet", "preset": "official"}, where="here")
    with pytest.raises(ValueError, match="Did you mean 'resnet'"):
        read_encoder({"name": "resnet50"}, where="here")


def test_weights_are_looked_for_below_the_project():
    section = read_encoder({"name": "resnet", "weights": "absent/resnet50.pth"}, where="here")
    assert section["weights"] == str(PROJECT / "absent/resnet50.pth")
    with pytest.raises(FileNotFoundError, match="package absent_weights is not installed"):
        read_encoder({"name": "resnet", "weights": "package:absent_weights/resnet50.pth"}, where="here")
