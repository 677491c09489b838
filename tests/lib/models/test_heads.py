import pytest
import torch

from lib.models.heads import Classifier, make_feature_norm
from lib.models.radiograph_transformer import RadiographTransformer


def test_classifier_starts_with_equal_logits_and_trains_both_parts():
    torch.manual_seed(0)
    encoder = RadiographTransformer(16, 8, 12, 1, 2, 16)
    classifier = Classifier(encoder, 3)
    images, labels = torch.randn(4, 1, 16, 16), torch.eye(4, 3)
    assert classifier(images).abs().max() == 0
    optimizer = torch.optim.SGD(classifier.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(classifier(images), labels).backward()
        optimizer.step()
    assert encoder.patch_embedding.weight.grad.abs().max() > 0
    assert torch.equal(classifier.eval()(images), classifier.head(encoder(images).pooled))


def test_batch_norm_of_features_is_what_its_formula_says():
    generator = torch.Generator().manual_seed(0)
    features = 5 + torch.randn(9, 4, generator=generator) * torch.tensor([1.0, 2.0, 3.0, 4.0])
    found = make_feature_norm("batch", 4)(features)
    columns = [[float(value) for value in column] for column in features.T]
    means = [sum(column) / 9 for column in columns]
    variances = [
        sum((v - mean) ** 2 for v in column) / 9 for column, mean in zip(columns, means, strict=True)
    ]
    expected = torch.tensor(
        [[(row[k] - means[k]) / (variances[k] + 1e-5) ** 0.5 for k in range(4)] for row in features.tolist()]
    )
    torch.testing.assert_close(found, expected)
    assert list(make_feature_norm("batch", 4).parameters()) == []  # no learned scale


def test_no_norm_is_the_default_and_an_unknown_one_is_named():
    features = torch.randn(3, 4)
    assert make_feature_norm("none", 4)(features) is features
    with pytest.raises(ValueError, match="feature_norm is 'layer'; it must be one of none, batch"):
        make_feature_norm("layer", 4)
