"""ConVIRT and Contrastive-Binary: the loss is that of the pairs, what is frozen stays, embeddings compare."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from lib.config import build
from lib.data.batch import Batch
from lib.losses.info_nce import info_nce
from lib.objectives.contrastive_binary import ContrastiveBinary
from lib.objectives.convirt import ConVIRT

SIZES = {
    "embedding_width": 12,
    "encoder": {
        "name": "radiograph_transformer",
        **dict(image_size=16, patch_size=8, width=16, depth=1, num_heads=2, mlp_width=16),
    },
    "text": dict(
        width=16, depth=3, num_heads=2, mlp_width=16, dropout=0.0, pooling="max", frozen_layers="half"
    ),
    "max_text_tokens": 8,
}
KINDS = (ConVIRT, ContrastiveBinary)


def make(kind, **changes):
    torch.manual_seed(0)
    return kind(build(kind.Config, SIZES | changes), 30)


def make_batch(size: int = 5, same: tuple[int, int] | None = None) -> Batch:
    generator = torch.Generator().manual_seed(size)
    tokens = torch.randint(5, 30, (size, 6), generator=generator)
    if same:
        tokens[same[1]] = tokens[same[0]]
    return Batch(
        images=torch.randn(size, 1, 1, 16, 16, generator=generator),
        view_mask=torch.ones(size, 1, dtype=torch.bool),
        labels=torch.zeros(size, 1),
        study_rows=torch.arange(size),
        view_rows=torch.arange(size)[:, None],
        flipped=torch.zeros(size, dtype=torch.bool),
        text_tokens=tokens,
        text_mask=torch.ones(size, 6, dtype=torch.bool),
    )


def test_the_loss_is_that_of_the_projected_pairs():
    objective, batch = make(ConVIRT).eval(), make_batch()
    images = objective.encoder(batch.images[:, 0]).pooled
    texts = objective.text_encoder(batch.text_tokens, batch.text_mask)
    hidden = [
        F.relu(rows @ head.hidden.weight.T) @ head.output.weight.T
        for rows, head in ((images, objective.image_projection), (texts, objective.text_projection))
    ]
    expected = info_nce(*hidden, temperature=0.1, image_to_text_weight=0.75)
    assert objective(batch)["contrastive"].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_frozen_has_no_gradient_and_all_else_has_one(kind):
    objective = make(kind)
    sum(objective(make_batch()).values()).backward()
    frozen = {name for name, parameter in objective.named_parameters() if parameter.grad is None}
    assert frozen == {
        name
        for name, _ in objective.named_parameters()
        if name.startswith(("text_encoder.bert.embeddings.", "text_encoder.bert.encoder.layer.0."))
    }
    assert frozen and not any(dict(objective.named_parameters())[name].requires_grad for name in frozen)


def test_repeated_texts_count_as_configured():
    """As positives they change nothing where the embeddings are equal too: one gains what the other loses."""
    repeated, different = make_batch(same=(1, 3)), make_batch()
    usual = make(ConVIRT).eval()
    masked, positives = (make(ConVIRT, repeats=repeats).eval() for repeats in ("masked", "positives"))
    losses = [objective(repeated)["contrastive"].item() for objective in (usual, masked, positives)]
    assert losses[1] < losses[0] - 0.01 and losses[2] == pytest.approx(losses[0])
    for objective in (masked, positives):
        assert objective(different)["contrastive"].item() == pytest.approx(
            usual(different)["contrastive"].item()
        )


def test_contrastive_binary_is_a_mean_over_real_and_false_pairs():
    objective, batch = make(ContrastiveBinary).eval(), make_batch(same=(1, 2))
    images = objective.embed_images(batch.images[:, 0])
    texts = objective.embed_texts(batch.text_tokens, batch.text_mask)
    scores = objective.similarity(texts, images)  # [texts, images]
    losses = [F.softplus(-scores[i, i]) for i in range(5)]
    # The false text is that of the study before; study 2 follows study 1, whose text is the same.
    losses += [F.softplus(scores[(i - 1) % 5, i]) for i in range(5) if i != 2]
    assert objective(batch)["matching"].item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)


def test_similarity_in_blocks_is_that_of_single_pairs(monkeypatch):
    monkeypatch.setattr("lib.objectives.contrastive_binary.BLOCK", 2)
    objective = make(ContrastiveBinary).eval()
    texts, images = torch.randn(5, 12), torch.randn(3, 12)
    scores = objective.similarity(texts, images)
    for i in range(5):
        for j in range(3):
            pair = objective._match(images[j : j + 1], texts[i : i + 1])
            assert scores[i, j].item() == pytest.approx(pair.item(), rel=1e-4, abs=1e-5)


def test_embeddings_of_convirt_have_length_1_and_compare_by_cosine():
    objective, batch = make(ConVIRT), make_batch()
    images = objective.embed_images(batch.images[:, 0])
    texts = objective.embed_texts(batch.text_tokens, batch.text_mask)
    torch.testing.assert_close(images.norm(dim=1), torch.ones(5))
    scores = objective.similarity(texts, images)
    assert scores.shape == (5, 5) and not scores.requires_grad
    torch.testing.assert_close(scores[2, 4], F.cosine_similarity(texts[2], images[4], dim=0))
    assert objective.training  # as it was


def test_padding_does_not_change_an_embedding():
    objective, batch = make(ConVIRT), make_batch()
    longer, mask = F.pad(batch.text_tokens, (0, 2)), F.pad(batch.text_mask, (0, 2))
    first = objective.embed_texts(batch.text_tokens, batch.text_mask)
    torch.testing.assert_close(first, objective.embed_texts(longer, mask))


@pytest.mark.parametrize("kind", KINDS)
def test_batches_that_cannot_be_contrasted_are_refused(kind):
    objective = make(kind)
    with pytest.raises(
        ValueError, match=r"one pair has nothing to tell it from: loader\.batch_size must be 2"
    ):
        objective(make_batch(1))
    with pytest.raises(ValueError, match="the batch has none: take a store with reports"):
        objective(dataclasses.replace(make_batch(), text_tokens=None))


@pytest.mark.parametrize(
    "changes, told",
    (
        ({"temperature": 0.0}, "temperature 0.0 is not positive"),
        ({"temperature": float("nan")}, "temperature nan is not positive"),
        ({"max_text_tokens": 1000}, "max_text_tokens 1000 is more than the text encoder's 512 positions"),
        ({"projection": "deep"}, "Unknown projection 'deep'"),
        ({"encoder": {"name": "vgg"}}, "vgg"),
        ({"text": SIZES["text"] | {"frozen_layers": 9}}, "frozen_layers 9 does not fit a text encoder of 3"),
    ),
)
def test_settings_that_do_not_fit_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        make(ConVIRT, **changes)


def test_a_text_folder_without_weights_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be read"):
        make(ConVIRT, text={"folder": str(tmp_path)})
