"""Start values of the weights."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Fill every linear and embedding layer of a module with start values.

    Linear: normal with deviation 1 / sqrt(inputs), bias zero. The usual fixed 0.02 suits widths near 768
    (where this gives 0.036) but starves narrow models: what a block adds then almost vanishes, and training
    starts late. Embedding: normal, 0.02, as in BERT and in the published code; where the output layer is tied
    to it, first predictions are nearly uniform.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=part.in_features**-0.5)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=0.02)


def next_token_log_frequencies(tokens: Tensor, vocab_size: int, pad_id: int) -> Tensor:
    """Return how often each token is the next one, whatever came before: what an output bias may start from.

    Args:
        tokens: the training reports, `[N, T]`, padded at the end.
        vocab_size: every token of the vocabulary counts one more, so that none is impossible.
        pad_id: does not count.

    Returns:
        Log-probabilities `[vocabulary]`.
    """
    followed = tokens[:, 1:]
    counts = followed[followed != pad_id].bincount(minlength=vocab_size) + 1
    return counts.log().log_softmax(0)
