import pytest
import torch
from tiny_training import TinyLoader, TinyObjective
from torch import nn

from lib.config import build
from lib.loops.optimizer import (
    OptimizerConfig,
    clip_gradients,
    make_optimizer,
    set_learning_rates,
    undecayed_parameters,
)


class Reports(nn.Module):
    """An image part with a norm of every kind and a real BERT, all in two groups."""

    def __init__(self):
        super().__init__()
        from transformers import BertConfig, BertModel

        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.LayerNorm(5), nn.RMSNorm(5)
        )
        self.aggregation = nn.Parameter(torch.zeros(5))  # one axis, yet neither a norm nor a bias
        self.attention = nn.MultiheadAttention(8, 2)
        size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        self.bert = BertModel(BertConfig(vocab_size=30, **size))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)

    def parameter_groups(self):
        named = [(name, p) for name, p in self.named_parameters() if not name.startswith("frozen.")]
        return {
            "image": [(name, p) for name, p in named if not name.startswith("bert.")],
            "text": [(name, p) for name, p in named if name.startswith("bert.")],
        }


@pytest.fixture(scope="module")
def reports():
    return Reports()


def decay_by_name(module, optimizer):
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    return {name: decay.get(id(p)) for name, p in module.named_parameters()}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weight_decay_spares_norms_and_biases_and_nothing_else(reports, name):
    decay = decay_by_name(reports, make_optimizer(reports, OptimizerConfig(name=name)))
    assert decay["bert.embeddings.LayerNorm.weight"] == 0.0  # capital letters: decayed by the published code
    assert decay["bert.encoder.layer.0.attention.output.LayerNorm.weight"] == 0.0
    assert decay["bert.embeddings.word_embeddings.weight"] == 1e-4
    assert decay["bert.embeddings.position_embeddings.weight"] == 1e-4
    assert decay["encoder.0.weight"] == 1e-4 and decay["encoder.0.bias"] == 0.0
    assert [decay[f"encoder.{layer}.weight"] for layer in (1, 2, 3, 4)] == [0.0] * 4
    assert decay["attention.in_proj_weight"] == 1e-4 and decay["attention.in_proj_bias"] == 0.0
    assert decay["aggregation"] == 1e-4
    assert decay["frozen.weight"] is None
    assert all(
        value == 0.0 for name, value in decay.items() if name.endswith("bias") and "frozen" not in name
    )
    spared = undecayed_parameters(reports)
    assert all(p.ndim == 1 for p in reports.parameters() if id(p) in spared)


def test_groups_have_their_own_learning_rates_and_one_schedule(reports):
    optimizer = make_optimizer(reports, OptimizerConfig())
    rates = set_learning_rates(optimizer, 5_000, OptimizerConfig(), steps=300_000)
    assert rates == {"image": pytest.approx(1.5e-3), "text": pytest.approx(1.5e-4)}
    text = {id(p) for _, p in reports.parameter_groups()["text"]}
    for group in optimizer.param_groups:
        assert group["momentum"] == 0.9
        assert all((id(p) in text) == (group["lr"] == pytest.approx(1.5e-4)) for p in group["params"])


def test_sgd_step_equals_the_formula():
    torch.manual_seed(0)
    objective = TinyObjective()
    config = OptimizerConfig(learning_rates={"image": 0.1, "text": 0.2}, weight_decay=0.5)
    optimizer = make_optimizer(objective, config)
    decay = decay_by_name(objective, optimizer)
    expected = {name: p.detach().clone() for name, p in objective.named_parameters()}
    momentum = {name: torch.zeros_like(p) for name, p in expected.items()}
    for batch in TinyLoader().epoch(0):
        optimizer.zero_grad()
        sum(objective(batch).values()).backward()
        for name, p in objective.named_parameters():
            momentum[name] = 0.9 * momentum[name] + p.grad + decay[name] * expected[name]
            expected[name] -= (0.1 if name.startswith("encoder.") else 0.2) * momentum[name]
        optimizer.step()
        for name, p in objective.named_parameters():
            torch.testing.assert_close(p.detach(), expected[name])


def test_clipping_scales_the_whole_gradient_once():
    objective = TinyObjective()
    sum(objective(next(TinyLoader().epoch(0))).values()).backward()
    before = torch.cat([p.grad.flatten().clone() for p in objective.parameters()])
    assert clip_gradients(objective, 0).item() == pytest.approx(before.norm().item(), rel=1e-5)
    clip_gradients(objective, 0.25)
    after = torch.cat([p.grad.flatten() for p in objective.parameters()])
    torch.testing.assert_close(after, before * 0.25 / before.norm(), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (OptimizerConfig(name="lars"), "Unknown optimizer 'lars'"),
        (OptimizerConfig(learning_rates={"image": 1e-3}), r"no value for \['text'\]"),
        (OptimizerConfig(learning_rates={"image": 1, "text": 1, "imgae": 1}), r"names \['imgae'\]"),
    ],
)
def test_settings_that_fit_no_group_are_refused_by_name(config, named):
    with pytest.raises(ValueError, match=named):
        make_optimizer(TinyObjective(), config)


def test_defaults_are_the_papers_and_a_recipe_may_change_one_rate():
    config = build(OptimizerConfig, {"learning_rates": {"text": "1e-3"}})
    assert config.learning_rates == {"image": 3e-3, "text": 1e-3}
    assert (config.name, config.momentum, config.weight_decay, config.warmup_steps) == (
        "sgd",
        0.9,
        1e-4,
        10_000,
    )
    assert tuple(build(OptimizerConfig, {"betas": [0.9, 0.98]}).betas) == (0.9, 0.98)


def test_after_a_plateau_the_rates_are_halved(reports):
    config = OptimizerConfig(name="adam", schedule="plateau", warmup_steps=10)
    optimizer = make_optimizer(reports, config)
    assert type(optimizer) is torch.optim.Adam
    for step, reductions, factor in (
        (0, 0, 0.0),
        (5, 0, 0.5),
        (10, 0, 1.0),
        (10**6, 1, 0.5),
        (10**6, 3, 0.125),
    ):
        rates = set_learning_rates(optimizer, step, config, steps=2 * 10**6, reductions=reductions)
        assert rates == {"image": pytest.approx(3e-3 * factor), "text": pytest.approx(3e-4 * factor)}


def test_the_rates_fall_at_the_milestones_of_a_recipe(reports):
    config = build(OptimizerConfig, {"schedule": "milestones", "warmup_steps": 0, "milestones": [0.5]})
    optimizer = make_optimizer(reports, config)
    rates = [set_learning_rates(optimizer, step, config, steps=10)["image"] for step in (0, 4, 5, 9)]
    assert rates == pytest.approx([3e-3, 3e-3, 3e-4, 3e-4])


@pytest.mark.parametrize(
    "settings, named",
    (
        ({"milestones": [60, 80]}, r"milestones \[60, 80\] and milestone_factor 0.1 must be shares"),
        ({"schedule": "steps"}, "Unknown schedule 'steps'. Known: cosine, plateau"),
        ({"plateau_patience": 0}, "plateau_patience 0 must be at least 1"),
        ({"plateau_factor": 1.5}, "plateau_factor 1.5 between 0 and 1"),
        ({"name": "lion"}, "Unknown optimizer 'lion'. Known: adam, adamw, sgd"),
    ),
)
def test_schedules_that_are_none_are_named(reports, settings, named):
    with pytest.raises(ValueError, match=named):
        make_optimizer(reports, OptimizerConfig(**settings))
