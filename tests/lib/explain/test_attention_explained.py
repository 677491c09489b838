"""Attention, rollout and relevance against loops over tokens and blocks."""

import pytest
import torch
from explained import TARGETS, make_classifier, make_images

from lib.explain.attention import attention, attention_of_place
from lib.explain.explain import explain
from lib.explain.relevance import relevance
from lib.explain.rollout import roll_out, rollout

KINDS = ("paper", "official", "plain")


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_that_of_the_fused_path(kind):
    """The values that the weights of the last block mix are those that the fused attention gives."""
    classifier, images = make_classifier(kind), make_images()
    encoder, kept = classifier.encoder, {}
    last = encoder.blocks[-1].attention
    handles = [
        last.query_key_value.register_forward_hook(lambda m, i, output: kept.update(projected=output)),
        last.output.register_forward_hook(lambda m, inputs, o: kept.update(mixed=inputs[0])),
    ]
    with torch.no_grad():
        encoder(images)
        for handle in handles:
            handle.remove()
        values = kept["projected"].chunk(3, dim=-1)[2].unflatten(-1, (4, -1)).transpose(1, 2)  # [N, H, T, d]
        mixed = encoder.attention_maps(images)[-1] @ values
    assert (mixed.transpose(1, 2).flatten(2) - kept["mixed"]).abs().max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_read_from_what_is_pooled(kind):
    classifier, images = make_classifier(kind), make_images()
    maps = classifier.encoder.attention_maps(images)
    for layer, head in ((0, None), (1, 2), (2, 0)):
        found = attention(classifier, images, layer, head)
        weights = sum(maps[layer][:, h] for h in range(4)) / 4 if head is None else maps[layer][:, head]
        for row in range(4):
            for column in range(4):
                place = 1 + 4 * row + column
                asked = range(1, 17) if kind == "paper" else [0]
                value = sum(weights[:, token, place] for token in asked) / len(asked)
                torch.testing.assert_close(found[:, row, column], value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_layer_and_all_heads_are_the_default(kind):
    classifier, images = make_classifier(kind), make_images()
    found = explain(classifier, images, "attention", targets=TARGETS)
    assert torch.equal(found, explain(classifier, images, "attention", targets=TARGETS, layer=2))
    heads = [explain(classifier, images, "attention", targets=TARGETS, head=head) for head in range(4)]
    torch.testing.assert_close(found, torch.stack(heads).mean(0))
    assert not torch.equal(heads[0], heads[1])


def test_one_patch_attends_with_its_own_row():
    classifier, images = make_classifier("paper"), make_images()
    weights = classifier.encoder.attention_maps(images)[1]
    found = attention_of_place(classifier.encoder, images, place=6, layer=1, head=3)
    assert torch.equal(found.flatten(1), weights[:, 3, 7, 1:])
    with pytest.raises(ValueError, match="no place 16: give 0 to 15"):
        attention_of_place(classifier.encoder, images, place=16, layer=1)


def test_rows_of_rollout_sum_to_one():
    maps = make_classifier("paper").encoder.attention_maps(make_images())
    for depth in (1, 2, 3):
        torch.testing.assert_close(roll_out(maps[:depth]).sum(-1), torch.ones(3, 17))


@pytest.mark.parametrize("kind", KINDS)
def test_rollout_multiplies_from_the_first_block_on(kind):
    classifier, images = make_classifier(kind), make_images()
    maps = classifier.encoder.attention_maps(images)
    for layer in (0, 2):
        for i in range(3):
            rolled = torch.eye(17)
            for weights in maps[: layer + 1]:
                mixed = torch.stack([0.5 * row for row in weights[i].mean(0)]) + 0.5 * torch.eye(17)
                rolled = torch.stack([sum(mixed[q, k] * rolled[k] for k in range(17)) for q in range(17)])
            row = rolled[1:].mean(0) if kind == "paper" else rolled[0]
            torch.testing.assert_close(rollout(classifier, images, layer)[i].flatten(), row[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_relevance_follows_the_rule_of_its_paper(kind):
    classifier, images = make_classifier(kind), make_images()
    found = relevance(classifier, images, TARGETS)
    for i, target in enumerate(TARGETS):
        output, maps = classifier.encoder.forward_with_attention(images[i : i + 1])
        for weights in maps:
            weights.retain_grad()
        classifier.head(classifier.norm(output.pooled))[0, target].backward()
        matrix = torch.eye(17, dtype=torch.float64)
        for weights in maps:
            weighted = torch.zeros(17, 17, dtype=torch.float64)
            for head in range(4):
                weighted += (weights[0, head] * weights.grad[0, head]).detach().double().clamp(min=0) / 4
            matrix = matrix + weighted @ matrix
        matrix -= torch.eye(17)
        row = sum(matrix[q] for q in range(17)) / 17 if kind == "paper" else matrix[0]
        torch.testing.assert_close(found[i].flatten().double(), row[1:], rtol=1e-3, atol=1e-6)
