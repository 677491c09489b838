import itertools

import pytest
import torch

from lib.models.decoding import beam_search

PAD, SOS, EOS = 0, 1, 2
VOCABULARY, LENGTH, REPORTS = 6, 5, 4


class MarkovModel:
    """A next token that depends on the report, the place and the last token; counts its hypotheses' rows."""

    def __init__(self, seed: int):
        generator = torch.Generator().manual_seed(seed)
        self.table = 2 * torch.randn(REPORTS, LENGTH, VOCABULARY, VOCABULARY, generator=generator)
        self.place = -1

    def __call__(self, tokens: torch.Tensor, parents: torch.Tensor) -> torch.Tensor:
        self.place += 1
        beam_size = len(tokens) // REPORTS
        rows = torch.arange(REPORTS).repeat_interleave(beam_size)
        assert torch.equal(parents // beam_size, rows)  # hypotheses never move to another report
        return self.table[rows, self.place, tokens].clone()

    def gains(self, report: int, sequence: tuple[int, ...]) -> list[float]:
        """Return the log-probability of each token after the first."""
        logits = self.table[report].clone()
        logits[..., [PAD, SOS]] = -torch.inf
        logits = logits.log_softmax(dim=-1)
        return [logits[place, a, b].item() for place, (a, b) in enumerate(itertools.pairwise(sequence))]


def all_sequences() -> list[tuple[int, ...]]:
    words = range(3, VOCABULARY)
    return [(SOS, *middle, EOS) for n in range(LENGTH - 1) for middle in itertools.product(words, repeat=n)]


def search(model, beam_size: int, length_penalty: float = 0.0) -> torch.Tensor:
    return beam_search(
        model,
        REPORTS,
        beam_size=beam_size,
        max_length=LENGTH,
        sos_id=SOS,
        eos_id=EOS,
        pad_id=PAD,
        never=(PAD, SOS),
        length_penalty=length_penalty,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("length_penalty", (0.0, 1.0))
@pytest.mark.parametrize("seed", range(5))
def test_wide_beam_finds_the_best_of_all_sequences(seed, length_penalty):
    found = search(MarkovModel(seed), beam_size=60, length_penalty=length_penalty)
    for report in range(REPORTS):

        def rank(sequence, report=report):
            gains = MarkovModel(seed).gains(report, sequence)
            return sum(gains) / len(gains) ** length_penalty

        best = max(all_sequences(), key=rank)
        assert found[report].tolist() == [*best, *[PAD] * (LENGTH - len(best))]


@pytest.mark.parametrize("seed", range(5))
def test_beam_of_one_is_greedy(seed):
    found = search(MarkovModel(seed), beam_size=1)
    model = MarkovModel(seed)
    for report in range(REPORTS):
        sequence = [SOS]
        while sequence[-1] != EOS:
            if len(sequence) == LENGTH - 1:
                sequence.append(EOS)
                break
            logits = model.table[report, len(sequence) - 1, sequence[-1]].clone()
            logits[[PAD, SOS]] = -torch.inf
            sequence.append(int(logits.argmax()))
        assert found[report].tolist() == sequence + [PAD] * (LENGTH - len(sequence))


def test_wider_beams_find_no_worse_sequences_on_average():
    def total(beam_size: int) -> float:
        sums = []
        for seed in range(20):
            found = search(MarkovModel(seed), beam_size)
            for report, sequence in enumerate(found.tolist()):
                sums.append(sum(MarkovModel(seed).gains(report, tuple(sequence[: sequence.index(EOS) + 1]))))
        return sum(sums) / len(sums)

    assert total(1) < total(3) <= total(60) + 1e-6


def test_stops_when_every_report_has_ended():
    model = MarkovModel(0)
    model.table[..., EOS] = 100.0
    assert (search(model, beam_size=1)[:, 1] == EOS).all()
    assert model.place == 0
