"""Phrases are compared with every place as objectives compare them with whole images."""

import pytest
import torch
from torch import nn

from lib.config import build
from lib.explain.phrase import phrase_maps, phrase_similarity
from lib.models.heads import Classifier
from lib.objectives.contrastive_binary import ContrastiveBinary
from lib.objectives.convirt import ConVIRT
from lib.objectives.refers import REFERS

ENCODERS = (
    dict(
        name="radiograph_transformer",
        image_size=32,
        patch_size=8,
        width=16,
        depth=1,
        num_heads=2,
        mlp_width=16,
    ),
    dict(name="resnet", depth=18, image_size=64, base_width=4),
)
KINDS = (ConVIRT, ContrastiveBinary, REFERS)


def make(kind, encoder=ENCODERS[0]):
    torch.manual_seed(0)
    text = dict(width=16, depth=1, num_heads=2, mlp_width=16, dropout=0.0, pooling="max")
    values = dict(feature_norm="batch", encoder=encoder, text=text, max_text_tokens=8)
    if kind is REFERS:
        report = dict(width=16, num_heads=2, mlp_width=16)
        objective = REFERS(build(REFERS.Config, {**values, "num_views": 2, "report": report}), 30, 30)
        objective.study_norm.running_mean.normal_()
    else:
        objective = kind(build(kind.Config, {**values, "embedding_width": 12}), 30)
        objective.image_norm.running_mean.normal_()
    return objective


def make_inputs(objective):
    images = torch.randn(2, 1, objective.encoder.image_size, objective.encoder.image_size)
    tokens = torch.randint(5, 30, (3, 6))
    return images, objective.embed_texts(tokens, torch.ones(3, 6, dtype=torch.bool))


class OnePlace(nn.Module):
    """An encoder whose images look like one place of another's everywhere."""

    def __init__(self, encoder, place):
        super().__init__()
        self.encoder, self.place = encoder, place

    def forward(self, images):
        output = self.encoder(images)
        return output._replace(pooled=output.tokens[:, self.place])


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_fits_a_phrase_as_an_image_that_looks_like_it_everywhere(kind):
    objective = make(kind)
    images, texts = make_inputs(objective)
    found = phrase_similarity(objective, images, texts)
    assert found.shape == (2, 3, 4, 4) and (found < 0).any() and (found > 0).any()
    assert objective.training and not found.requires_grad
    encoder = objective.encoder
    for place in range(16):
        objective.encoder = OnePlace(encoder, place)
        wanted = objective.similarity(texts, objective.embed_images(images))  # [Q, N]
        torch.testing.assert_close(found[:, :, place // 4, place % 4], wanted.T)
    objective.encoder = encoder
    assert torch.equal(phrase_maps(objective, images, texts), found.clamp(min=0))


def test_the_measure_of_convirt_is_the_cosine():
    objective = make(ConVIRT)
    images, texts = make_inputs(objective)
    found = phrase_similarity(objective, images, objective.embed_places(images)[0, 5:6])
    assert found[0, 0, 1, 1].item() == pytest.approx(1) and found.abs().max() < 1 + 1e-5


def test_places_of_a_resnet_are_drawn_where_they_look():
    objective = make(ConVIRT, ENCODERS[1])
    images, texts = make_inputs(objective)
    found = phrase_similarity(objective, images, texts)
    assert found.shape == (2, 3, 8, 8)
    corner = objective.similarity(texts, objective.embed_places(images)[:, 3])  # looks at 32.5 px and beyond
    torch.testing.assert_close(found[:, :, -1, -1], corner.T)


def test_wrong_choices_are_told():
    objective = make(ConVIRT)
    images, texts = make_inputs(objective)
    with pytest.raises(
        ValueError, match="Classifier does not compare phrases with places; take a pre-training"
    ):
        phrase_similarity(Classifier(objective.encoder, 2), images, texts)
    blind = make(REFERS)
    blind.config.contrastive_weight = 0
    with pytest.raises(ValueError, match="REFERS does not compare phrases"):
        phrase_similarity(blind, images, texts)
    with pytest.raises(ValueError, match="NaN or infinity"):
        phrase_similarity(objective, images * float("nan"), texts)
