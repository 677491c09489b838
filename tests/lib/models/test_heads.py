import torch

from lib.models.heads import Classifier
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
