import dataclasses
from types import SimpleNamespace

import pytest
import torch

from lib.config import build
from lib.losses.info_nce import info_nce
from lib.losses.language_modeling import language_modeling
from lib.models.radiograph_transformer import RadiographTransformer
from lib.models.resnet import ResNet
from lib.objectives.refers import REFERS, REFERSConfig

PRESETS = ("paper", "official")
PAD, SOS, EOS = 0, 2, 3


def make(**changes) -> REFERS:
    torch.manual_seed(0)
    values = {
        "num_views": 2,
        "max_report_tokens": 8,
        "encoder": dict(image_size=16, patch_size=8, width=12, depth=1, num_heads=2, mlp_width=16),
        "report": dict(width=16, num_heads=2, mlp_width=20),
        "text": dict(width=16, depth=1, num_heads=2, mlp_width=20),
    }
    return REFERS(build(REFERSConfig, values | changes), 30, 30)


def make_batch(num_studies: int = 3) -> SimpleNamespace:
    """Return what REFERS reads of a batch."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(5, 30, (num_studies, 8), generator=generator)
    tokens[:, 0], tokens[:, -1] = SOS, EOS
    tokens[0, 4], tokens[0, 5:] = EOS, PAD
    images = torch.randn(num_studies, 2, 1, 16, 16, generator=generator)
    return SimpleNamespace(images=images, report_tokens=tokens, text_tokens=tokens, text_mask=tokens != PAD)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_full_size_parameter_counts():
    """Vocabulary 10,000, cased BERT. The official total is published, for three channels."""
    with torch.device("meta"):
        official = REFERS(REFERSConfig(preset="official", encoder={"in_channels": 3}), 10_000, 28_996)
        paper = REFERS(REFERSConfig(), 10_000, 28_996)
    assert count(official) == 223_826_195
    assert count(paper) == 227_559_443
    parts = {name: count(part) for name, part in paper.named_children()}
    assert parts == {
        "encoder": 87_766_272,
        "view_fusion": 1_772_547,
        "report_transformer": 27_938_576,
        "text_encoder": 110_082_048,
        "study_norm": 0,
        "text_norm": 0,
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_losses_are_those_of_the_parts(preset):
    """Study by study and view by view, as the paper tells it."""
    objective, batch = make(preset=preset).eval(), make_batch()
    tokens = torch.stack(
        [torch.stack([objective.encoder(v[None]).tokens[0] for v in s]) for s in batch.images]
    )
    pooled = torch.stack(
        [torch.stack([objective.encoder(v[None]).pooled[0] for v in s]) for s in batch.images]
    )
    fused = objective.view_fusion(tokens, pooled)
    logits = objective.report_transformer(fused.memory, batch.report_tokens)
    texts = objective.text_encoder(batch.text_tokens, batch.text_mask)
    language = language_modeling(logits, batch.report_tokens, PAD)
    weight = {"paper": 1.0, "official": 0.75}[preset]
    contrastive = info_nce(fused.study_feature, texts, temperature=0.1, image_to_text_weight=weight)
    losses = objective(batch)
    torch.testing.assert_close(losses["language"], language, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(losses["contrastive"], contrastive, atol=1e-4, rtol=1e-4)


RESNET = {"name": "resnet", "depth": 18, "image_size": 32, "base_width": 4}


def test_any_encoder_will_do():
    """Without a name it is the paper's, of the objective's preset, as in runs that knew no other."""
    own = make().config.encoder
    encoder = make(preset="official").encoder
    assert isinstance(encoder, RadiographTransformer) and encoder.preset.name == "official"
    encoder = make(preset="official", encoder={**own, "preset": "paper"}).encoder
    assert encoder.preset.name == "paper"
    objective, batch = make(preset="official", encoder=RESNET), make_batch()
    assert isinstance(objective.encoder, ResNet) and "preset" not in objective.config.encoder
    batch.images = torch.randn(3, 2, 1, 32, 32)
    tokens, pooled = objective.encoder(batch.images.flatten(0, 1))
    fused = objective.fuse(batch.images)
    assert fused.memory.shape == (3, 2 * tokens.shape[1], tokens.shape[2])
    assert torch.equal(fused.study_feature, pooled.view(3, -1))  # official: not weighted
    groups = objective.parameter_groups()
    assert sum(map(len, groups.values())) == len(list(objective.parameters()))
    assert {"encoder.conv1.weight", "view_fusion.gates.weight"} <= {name for name, _ in groups["image"]}


@pytest.mark.parametrize("preset", PRESETS)
def test_without_view_fusion_each_view_is_a_study_of_its_own(preset):
    objective, batch = make(preset=preset, has_view_fusion=False).eval(), make_batch()
    texts = objective.text_encoder(batch.text_tokens, batch.text_mask)  # one of each study
    assert texts.shape == (3, 12)  # the width of one view
    language = contrastive = words = 0.0
    for study, views in enumerate(batch.images):
        for view in views:
            tokens, pooled = objective.encoder(view[None])
            report = batch.report_tokens[study : study + 1]
            number = (report[:, 1:] != PAD).sum()
            logits = objective.report_transformer(tokens, report)
            language += language_modeling(logits, report, PAD) * number
            words += number
            # The study's report among those of all studies, each once.
            similarity = torch.cosine_similarity(pooled, texts) / 0.1
            contrastive -= similarity.log_softmax(0)[study] / 6
    losses = objective(batch)
    torch.testing.assert_close(losses["language"], language / words, atol=1e-5, rtol=1e-5)
    weight = objective.text_encoder.projection.weight
    (expected,) = torch.autograd.grad(contrastive, weight, retain_graph=True)
    (found,) = torch.autograd.grad(losses["contrastive"], weight)
    if preset == "paper":
        # The second copy of each report adds a constant, and nothing to learn from.
        torch.testing.assert_close(
            losses["contrastive"], contrastive + torch.tensor(2.0).log(), atol=1e-4, rtol=0
        )
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)
    else:
        torch.testing.assert_close(found, 0.75 * expected, atol=1e-5, rtol=1e-3)


def test_without_view_fusion_the_first_view_is_read():
    objective, images = make(has_view_fusion=False), make_batch().images
    changed = images.clone()
    changed[:, 1] = 0
    assert torch.equal(objective.generate(images), objective.generate(changed))
    assert objective.generate(images).shape == (3, 8)
    assert objective.fusion_weights(images).tolist() == [[1.0, 0.0]] * 3
    starts = {name.split(".")[0] for name, _ in objective.parameter_groups()["image"]}
    assert starts == {"encoder"}


def test_features_may_be_normalised_before_the_contrastive_loss():
    batch = make_batch(6)
    text = dict(width=16, depth=1, num_heads=2, mlp_width=20, dropout=0.0)
    objective = make(feature_norm="batch", text=text)
    objective.train()
    for part in (objective.encoder, objective.report_transformer):
        part.eval()  # no dropout
    features = [
        objective.fuse(batch.images).study_feature,
        objective.text_encoder(batch.text_tokens, batch.text_mask),
    ]
    normal = [(x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt() for x in features]
    expected = info_nce(*normal, temperature=0.1, image_to_text_weight=1.0)
    torch.testing.assert_close(objective(batch)["contrastive"], expected, atol=1e-4, rtol=1e-4)


def test_the_first_predictions_are_the_frequencies_of_tokens_unless_official():
    tokens = make_batch().report_tokens
    for preset, starts in (("paper", True), ("official", False)):
        objective = make(preset=preset)
        objective.start_from_reports(tokens)
        assert bool(objective.report_transformer.output_bias.any()) == starts


def test_official_text_to_image_term_has_no_gradient():
    objective, batch = make(preset="official").eval(), make_batch()
    fused = objective.fuse(batch.images)
    texts = objective.text_encoder(batch.text_tokens, batch.text_mask)
    one_way = info_nce(fused.study_feature, texts, temperature=0.1, image_to_text_weight=1.0)
    weight = objective.text_encoder.projection.weight
    (expected,) = torch.autograd.grad(one_way, weight)
    (found,) = torch.autograd.grad(objective(batch)["contrastive"], weight)
    torch.testing.assert_close(found, 0.75 * expected, atol=1e-6, rtol=1e-4)


def test_weights_scale_and_leave_out():
    batch = make_batch()
    whole = make().eval()(batch)
    scaled = make(language_weight=0.5, contrastive_weight=2.0).eval()(batch)
    assert torch.equal(scaled["language"], 0.5 * whole["language"])
    assert torch.equal(scaled["contrastive"], 2.0 * whole["contrastive"])
    assert list(make(language_weight=0.0)(batch)) == ["contrastive"]
    assert list(make(contrastive_weight=0.0)(batch)) == ["language"]


@pytest.mark.parametrize("preset", PRESETS)
def test_fusion_weights(preset):
    objective, images = make(preset=preset), make_batch().images
    weights = objective.fusion_weights(images)
    assert weights.shape == (3, 2)
    assert not weights.requires_grad
    assert objective.training and torch.equal(weights, objective.fusion_weights(images))  # no dropout
    if preset == "paper":
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generates_reports(beam_size):
    objective, images = make(), make_batch().images
    generated = objective.generate(images, beam_size)
    assert generated.shape == (3, 8)
    assert (generated[:, 0] == SOS).all()
    assert ((generated == EOS).sum(dim=1) == 1).all()
    assert objective.training and torch.equal(generated, objective.generate(images, beam_size))


def test_recognises_and_writes_reports_after_training():
    """Six studies by heart: each finds its own report, and greedy search writes it."""
    encoder = dict(image_size=16, patch_size=8, width=24, depth=1, num_heads=2, mlp_width=32, dropout=0.0)
    report = dict(width=32, num_heads=2, mlp_width=32, dropout=0.0)
    objective, batch = make(encoder=encoder, report=report), make_batch(6)
    optimizer = torch.optim.AdamW(objective.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        sum(objective(batch).values()).backward()
        optimizer.step()
    objective.eval()
    with torch.no_grad():
        losses = objective(batch)
    assert losses["contrastive"] < 0.1 and losses["language"] < 0.3
    assert (objective.generate(batch.images) == batch.report_tokens).float().mean() > 0.9


def test_parameter_groups():
    groups = make().parameter_groups()
    starts = {group: {name.split(".")[0] for name, _ in members} for group, members in groups.items()}
    assert starts == {
        "image": {"encoder", "view_fusion"},
        "text": {"report_transformer", "text_encoder"},
    }


def test_errors_name_the_value():
    batch = make_batch()
    batch.report_tokens = None
    with pytest.raises(ValueError, match="learns from reports"):
        make()(batch)
    for changes, message in (
        ({"temperature": 0.0}, "temperature 0.0"),
        ({"contrastive_weight": 0.0, "language_weight": 0.0}, "nothing to learn"),
        ({"preset": "pepper"}, "Unknown preset 'pepper'"),
        ({"max_text_tokens": 600}, "max_text_tokens 600"),
        ({"encoder": {"name": "resnet50"}}, "Did you mean 'resnet'"),
    ):
        with pytest.raises(ValueError, match=message):
            make(**changes)


def test_config_defaults_are_the_papers():
    config = dataclasses.asdict(REFERSConfig())
    assert config["preset"] == "paper" and config["num_views"] == 3
    assert config["contrastive_weight"] == config["language_weight"] == 1.0
    assert config["encoder"] == {"name": "radiograph_transformer", "preset": "paper"}
    assert config["has_view_fusion"]


@pytest.mark.parametrize("preset", PRESETS)
def test_attention_spelled_out_is_that_of_the_losses(preset):
    objective, batch = make(preset=preset).eval(), make_batch()
    logits, weights, gates = objective.forward_with_attention(batch.images, batch.report_tokens)
    fused = objective.fuse(batch.images)
    expected = objective.report_transformer(fused.memory, batch.report_tokens)
    assert (logits - expected).abs().max() < 1e-5
    assert weights.shape == (3, 8, 1, 2, 2, 4)  # one layer, two heads, two views of four places
    torch.testing.assert_close(weights.sum(dim=(-2, -1)), torch.ones(3, 8, 1, 2))
    torch.testing.assert_close(gates, fused.weights.expand(3, 2, 4))
    # The second view alone, by the places of the memory.
    _, (maps,) = objective.report_transformer.forward_with_attention(fused.memory, batch.report_tokens)
    torch.testing.assert_close(weights[:, :, 0, :, 1], maps[..., 4:].transpose(1, 2))


def test_without_view_fusion_words_are_read_off_the_first_view():
    objective, batch = make(has_view_fusion=False).eval(), make_batch()
    _, weights, gates = objective.forward_with_attention(batch.images, batch.report_tokens)
    assert weights.shape == (3, 8, 1, 2, 1, 4) and gates.tolist() == [[[1] * 4]] * 3


@pytest.mark.parametrize("changes", [{}, {"preset": "official"}, {"has_view_fusion": False}])
def test_an_image_alone_is_a_study_of_copies_of_it(changes):
    objective, batch = make(feature_norm="batch", **changes), make_batch()
    objective.study_norm.running_mean.normal_()
    objective.text_norm.running_var.uniform_(0.5, 2)
    copies = batch.images[:, :1].expand(-1, objective.num_fused, -1, -1, -1)
    images = objective.embed_images(batch.images[:, 0])
    texts = objective.embed_texts(batch.text_tokens, batch.text_mask)
    objective.eval()
    with torch.no_grad():
        study = objective.study_norm(objective.fuse(copies).study_feature)
        text = objective.text_norm(objective.text_encoder(batch.text_tokens, batch.text_mask))
    torch.testing.assert_close(images, study / study.norm(dim=1, keepdim=True))
    torch.testing.assert_close(texts, text / text.norm(dim=1, keepdim=True))
    cosines = torch.nn.functional.cosine_similarity(texts[:, None], images[None], dim=-1)
    torch.testing.assert_close(objective.similarity(texts, images), cosines)


def test_without_the_contrastive_loss_no_text_is_compared():
    assert make().compares_texts and not make(contrastive_weight=0).compares_texts
