"""Reports for the tests of decoders: padded tokens, and what the padded steps must not change."""

import torch
from torch import nn

from lib.losses.language_modeling import language_modeling

PAD, UNK, SOS, EOS = range(4)
VOCABULARY, LENGTH = 30, 9


def padded_reports() -> torch.Tensor:
    """Return token ids [3, 7] of 7, 4 and 2 tokens."""
    tokens = torch.randint(4, VOCABULARY, (3, 7), generator=torch.Generator().manual_seed(1))
    tokens[:, 0] = SOS
    tokens[1, 4:], tokens[2, 2:] = PAD, PAD
    return tokens


def unequal_reports() -> torch.Tensor:
    """Return token ids [4, LENGTH] of reports of different lengths, with their ends."""
    tokens = torch.randint(4, VOCABULARY, (4, LENGTH), generator=torch.Generator().manual_seed(2))
    tokens[:, 0] = SOS
    for row, end in enumerate((8, 6, 5, 3)):
        tokens[row, end], tokens[row, end + 1 :] = EOS, PAD
    return tokens


def learn(decoder: nn.Module, logits_of, tokens: torch.Tensor, steps: int = 80) -> None:
    """Train a decoder on a few reports until it knows them by heart."""
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        language_modeling(logits_of(tokens), tokens, PAD).backward()
        optimizer.step()
    decoder.eval()


def assert_ends_and_pads(generated: torch.Tensor) -> None:
    """Check that reports start, have words, end once and are padded."""
    assert (generated[:, 0] == SOS).all()
    for report in generated.tolist():
        end = report.index(EOS)
        assert not {PAD, UNK, SOS} & set(report[1:end])
        assert all(token == PAD for token in report[end + 1 :])


def assert_greedy(generated: torch.Tensor, logits: torch.Tensor) -> None:
    """Check generated reports against the teacher-forced logits of themselves."""
    logits = logits.clone()
    logits[..., [PAD, UNK, SOS]] = -torch.inf
    for report, predicted in zip(generated, logits.argmax(dim=-1), strict=True):
        length = min(int((report == EOS).nonzero()[0]), LENGTH - 2)  # the end at the last place is forced
        assert torch.equal(report[1 : length + 1], predicted[:length])


def assert_hypotheses_agree(steps, uncached, num_reports: int = 3) -> None:
    """Compare single steps with the whole pass: two hypotheses a report, which swap and copy each other.

    Args:
        steps: the decoder token by token.
        uncached: token ids [6, t] -> logits of the last token [6, vocabulary].
        num_reports: that the decoder was started with.
    """
    generator = torch.Generator().manual_seed(3)
    history = torch.empty(2 * num_reports, 0, dtype=torch.int64)
    first = torch.arange(num_reports).repeat_interleave(2) * 2
    for place in range(6):
        chosen = torch.randint(0, 2, (2 * num_reports,), generator=generator)
        parents = first + (chosen if place else torch.arange(2 * num_reports) % 2)
        newest = torch.randint(4, VOCABULARY, (2 * num_reports,), generator=generator)
        history = torch.cat([history[parents], newest.unsqueeze(1)], dim=1)
        torch.testing.assert_close(steps(newest, parents), uncached(history), atol=1e-5, rtol=1e-5)
