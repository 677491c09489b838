"""What every objective promises. A new one needs a tiny setting below; the tests find it by its name."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib.config import build, to_plain
from lib.data.batch import Batch
from lib.models.pretrained import load_encoder, load_strictly
from lib.objectives import OBJECTIVES
from lib.registry import resolve

NUM_STUDIES, NUM_VIEWS, VOCAB_SIZE = 4, 3, 40
REFERS = {
    "encoder": dict(image_size=32, patch_size=8, width=24, depth=2, num_heads=4, mlp_width=40),
    "report": dict(width=16, num_heads=2, mlp_width=20),
    "text": dict(width=16, depth=1, num_heads=2, mlp_width=20),
    "max_report_tokens": 12,
}
PAIRS = {
    "embedding_width": 16,
    "encoder": {"name": "radiograph_transformer", **REFERS["encoder"]},
    "text": dict(width=16, depth=2, num_heads=2, mlp_width=20, pooling="max", frozen_layers="half"),
    "max_text_tokens": 12,
}
RESTORATION = {"encoder": PAIRS["encoder"]}
RESNET = {"encoder": {"name": "resnet", "depth": 18, "image_size": 32}}
CAPTION_LSTM = {
    "word_width": 16,
    "attention_width": 12,
    "hidden_width": 20,
    "dropout": 0.1,
    "max_report_tokens": 12,
    "encoder": PAIRS["encoder"],
}
CAPTION_TRANSFORMER = {
    "width": 16,
    "num_heads": 2,
    "mlp_width": 20,
    "num_encoder_layers": 2,
    "num_decoder_layers": 2,
    "num_slots": 3,
    "max_report_tokens": 12,
    "encoder": PAIRS["encoder"],
}
WORDS = RESTORATION | {"words": {"num_words": 5}}
CROPS = {"embedding_width": 16, "encoder": PAIRS["encoder"]}
QUEUE = CROPS | {"queue_size": NUM_STUDIES, "momentum": 0.9}
SMALL_RESNET = {"encoder": RESNET["encoder"] | {"base_width": 8}}
FROZEN = ("text_encoder.bert", "teacher_encoder.", "teacher_projection.")
"""Where parameters may stand that are not learnt: in a text encoder, in a copy that follows the encoder."""
LABELS = {
    "targets": ["b", "d"],
    "labels": ["a", "b", "c", "d", "e"],
    "encoder": {"name": "radiograph_transformer", **REFERS["encoder"]},
}
TINY = {
    "c2l": [QUEUE, QUEUE | {"loss": "nce", "projection": "mlp"}],
    "caption_lstm": [
        CAPTION_LSTM,
        CAPTION_LSTM | {"attention_weight": 0.0, "feature_norm": "batch"},
        CAPTION_LSTM | {"encoder": {"name": "resnet", "depth": 18, "image_size": 32}},
    ],
    "caption_transformer": [
        CAPTION_TRANSFORMER,
        CAPTION_TRANSFORMER | {"num_slots": 0, "feature_norm": "batch"},
    ],
    "context_restoration": [
        RESTORATION | {"patch_size": 4, "num_swaps": 3},
        RESNET | {"patch_size": 16, "num_swaps": 1},
    ],
    "contrastive_binary": [PAIRS, PAIRS | {"feature_norm": "batch"}],
    "convirt": [
        PAIRS,
        PAIRS | {"projection": "linear", "repeats": "positives", "text": PAIRS["text"] | {"pooling": "cls"}},
        PAIRS | {"feature_norm": "batch", "encoder": {"name": "resnet", "depth": 18, "image_size": 32}},
    ],
    "lsp": [LABELS, LABELS | {"feature_norm": "batch"} | SMALL_RESNET],
    "moco_v2": [QUEUE, QUEUE | SMALL_RESNET],
    "model_genesis": [RESTORATION],
    "refers": [
        REFERS,
        REFERS | {"preset": "official"},
        REFERS | {"text": REFERS["text"] | {"pooling": "mean"}},
        REFERS | {"encoder": PAIRS["encoder"] | {"aggregation": "none"}},
        REFERS | SMALL_RESNET | {"has_view_fusion": False},
    ],
    "simclr": [CROPS, CROPS | SMALL_RESNET],
    "transvw": [WORDS, WORDS | RESNET],
}
SETTINGS = [
    pytest.param(name, setting, id=f"{name}-{number}")
    for name in OBJECTIVES
    for number, setting in enumerate(TINY.get(name, []))
]


def make(name: str, setting: dict, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    objective = resolve(name, OBJECTIVES)
    sizes = {f"{kind}_vocab_size": VOCAB_SIZE for kind in objective.reads}
    return objective(build(objective.Config, setting), **sizes)


def make_batch(image_size: int = 32) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(NUM_STUDIES, NUM_VIEWS, 1, image_size, image_size, generator=generator)
    tokens = torch.randint(5, VOCAB_SIZE, (NUM_STUDIES, 10), generator=generator)
    lengths = torch.tensor([10, 7, 3, 5])
    tokens[:, 0] = 2
    tokens[torch.arange(NUM_STUDIES), lengths - 1] = 3
    mask = torch.arange(10) < lengths.unsqueeze(1)
    tokens = tokens * mask
    return Batch(
        images=images,
        view_mask=torch.ones(NUM_STUDIES, NUM_VIEWS, dtype=torch.bool),
        labels=(torch.rand(NUM_STUDIES, 5, generator=generator) < 0.5).float(),
        study_rows=torch.arange(NUM_STUDIES),
        view_rows=torch.arange(NUM_STUDIES * NUM_VIEWS).view(NUM_STUDIES, NUM_VIEWS),
        flipped=torch.zeros(NUM_STUDIES, dtype=torch.bool),
        report_tokens=tokens,
        report_lengths=lengths,
        text_tokens=tokens,
        text_mask=mask,
        words=torch.arange(NUM_STUDIES * NUM_VIEWS).view(NUM_STUDIES, NUM_VIEWS) % 5,
    )


def test_every_objective_is_tested():
    assert TINY.keys() == OBJECTIVES.keys(), "give each objective of lib/objectives a tiny setting here"


@pytest.mark.parametrize("name, setting", SETTINGS)
class TestObjective:
    def test_forward_and_backward(self, name, setting):
        objective = make(name, setting)
        losses = objective(make_batch())
        assert losses
        for key, loss in losses.items():
            assert loss.ndim == 0 and loss.dtype == torch.float32 and loss.isfinite(), key
        sum(losses.values()).backward()
        for key, parameter in objective.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None and parameter.grad.isfinite().all(), key
            else:
                assert parameter.grad is None and key.startswith(FROZEN), key

    def test_losses_fall(self, name, setting):
        objective, batch = make(name, setting), make_batch()
        optimizer = torch.optim.AdamW(objective.parameters(), lr=3e-3)
        with torch.no_grad():
            objective(batch)  # fills a queue of negatives, where there is one
        totals = []
        for _ in range(50):
            optimizer.zero_grad()
            total = sum(objective(batch).values())
            total.backward()
            optimizer.step()
            totals.append(total.item())
        assert totals[-1] < 0.8 * totals[0]

    def test_every_parameter_is_in_one_group(self, name, setting):
        objective = make(name, setting)
        grouped = [named for members in objective.parameter_groups().values() for named in members]
        own = dict(objective.named_parameters())
        assert len(grouped) == len(own)
        assert all(own[key] is parameter for key, parameter in grouped)

    def test_survives_a_file(self, name, setting, tmp_path):
        objective = make(name, setting).eval()
        save_file(objective.state_dict(), tmp_path / "best.safetensors")
        kind = resolve(name, OBJECTIVES)
        other = make(name, setting, seed=7).eval()
        load_strictly(other, load_file(tmp_path / "best.safetensors"))
        expected, found = objective(make_batch()), other(make_batch())
        assert all(torch.equal(found[key], loss) for key, loss in expected.items())

        encoder = kind.make_encoder(build(kind.Config, setting)).eval()
        load_encoder(encoder, tmp_path / "best.safetensors")
        images = make_batch().images.flatten(0, 1)
        assert torch.equal(encoder(images).pooled, objective.encoder(images).pooled)

    def test_bfloat16_autocast(self, name, setting):
        objective, batch = make(name, setting).eval(), make_batch()
        exact = objective(batch)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = objective(batch)
        for key, loss in mixed.items():
            assert loss.dtype == torch.float32
            assert abs(loss - exact[key]) < 0.05 * exact[key].abs() + 0.05, key
        sum(mixed.values()).backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in objective.parameters())

    def test_follows_the_seed(self, name, setting):
        traces = []
        for _ in range(2):
            objective = make(name, setting)
            optimizer = torch.optim.SGD(objective.parameters(), lr=0.01, momentum=0.9)
            trace = []
            for _ in range(3):
                optimizer.zero_grad()
                total = sum(objective(make_batch()).values())
                total.backward()
                optimizer.step()
                trace.append(total.item())
            traces.append(trace)
        assert traces[0] == traces[1]

    def test_config_survives_plain_values(self, name, setting):
        kind = resolve(name, OBJECTIVES)
        config = build(kind.Config, setting)
        assert dataclasses.is_dataclass(config)
        assert build(kind.Config, to_plain(config)) == config

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    def test_gpu_agrees(self, name, setting):
        objective, batch = make(name, setting).eval(), make_batch()
        expected = objective(batch)
        found = objective.cuda()(batch.to("cuda"))
        for key, loss in expected.items():
            torch.testing.assert_close(found[key].cpu(), loss, atol=1e-3, rtol=1e-3)
