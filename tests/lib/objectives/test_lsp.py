import pytest
import torch
import torch.nn.functional as F

from lib.config import build
from lib.data.batch import Batch
from lib.objectives.lsp import LSP, choose_label_targets

NAMES = ["a", "b", "c"]
NAN = float("nan")
LABELS = torch.tensor([[1, 0, NAN], [0, 0, 1], [NAN, 0, 0], [1, 0, NAN]])
ENCODER = dict(
    name="radiograph_transformer", image_size=16, patch_size=8, width=12, depth=1, num_heads=2, mlp_width=16
)


def make_lsp(targets: list[str]) -> LSP:
    torch.manual_seed(0)
    return LSP(build(LSP.Config, {"targets": targets, "labels": NAMES, "num_views": 2, "encoder": ENCODER}))


def make_batch() -> Batch:
    rows = torch.arange(4)
    return Batch(
        images=torch.randn(4, 2, 1, 16, 16, generator=torch.Generator().manual_seed(1)),
        view_mask=torch.ones(4, 2, dtype=torch.bool),
        labels=LABELS,
        study_rows=rows,
        view_rows=torch.stack([2 * rows, 2 * rows + 1], dim=1),
        flipped=torch.zeros(4, dtype=torch.bool),
    )


def test_loss_is_the_mean_over_all_views_and_known_labels():
    lsp, batch = make_lsp(["c", "a"]).eval(), make_batch()
    with torch.no_grad():
        lsp.head.weight.normal_()
        terms = []
        for study in range(4):
            for view in range(2):
                logits = lsp.head(lsp.encoder(batch.images[study, view][None]).pooled)[0]
                for logit, name in zip(logits, ["c", "a"], strict=True):
                    label = LABELS[study, NAMES.index(name)]
                    if not label.isnan():
                        terms.append(F.binary_cross_entropy_with_logits(logit, label))
        assert len(terms) == 2 * 5
        torch.testing.assert_close(lsp(batch)["cross_entropy"], torch.stack(terms).mean())


def test_begins_with_the_frequencies_of_its_own_targets():
    lsp = make_lsp(["c", "a"])
    lsp.start_from_labels(LABELS)
    expected = torch.tensor([(1 + 1) / (2 + 2), (2 + 1) / (3 + 2)])
    torch.testing.assert_close(lsp.head.bias.sigmoid(), expected)
    torch.testing.assert_close(lsp.logits(make_batch()).sigmoid(), expected.expand(8, 2))


def test_targets_are_those_that_vary():
    assert choose_label_targets(NAMES, LABELS, []) == ["a", "c"]
    assert choose_label_targets(NAMES, LABELS, ["c"]) == ["c"]


def test_errors_name_the_label():
    with pytest.raises(ValueError, match="names d; the store has a, b, c"):
        choose_label_targets(NAMES, LABELS, ["a", "d"])
    with pytest.raises(ValueError, match="names b: the training studies all have it, or none has"):
        choose_label_targets(NAMES, LABELS, ["a", "b"])
    with pytest.raises(ValueError, match="No label of the store is there in some"):
        choose_label_targets(["b"], LABELS[:, 1:2], [])
    with pytest.raises(ValueError, match="needs a store with labels"):
        make_lsp([])
