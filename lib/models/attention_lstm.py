"""The decoder of "Show, Attend and Tell": an LSTM that looks at the image again before every word.

Xu et al. 2015, section 3.1.2, with the deterministic "soft" attention of section 4.2.

Letters: B reports, K hypotheses of a report, T tokens, L places of the image, D width of their annotations,
A width of the attention, n width of the LSTM, m width of the words.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lib.models.decoding import PAD_ID, write_tokens
from lib.models.dropout import Dropout
from lib.models.initialise import initialise, next_token_log_frequencies


class Told(NamedTuple):
    """What the decoder makes of B reports.

    Attributes:
        logits: of the token after each one, `[B, T, vocabulary]`.
        weights: of the places of the image, before each prediction, `[B, T, L]`, float32.
    """

    logits: Tensor
    weights: Tensor


class Annotations(NamedTuple):
    """What the attention reads: annotations `[B, L, D]`, and their share in its scores `[B, L, A]`."""

    values: Tensor
    keys: Tensor


class State(NamedTuple):
    """Hidden state and cell of the LSTM, `[B * K, n]` each, float32."""

    hidden: Tensor
    cell: Tensor


class AttentionLSTM(nn.Module):
    """LSTM over report tokens; its state decides where the image is looked at next.

    Args:
        vocab_size: number of token ids, the special ones of `lib.models.decoding` among them.
        annotation_width: of the image's features.
        word_width: of a token's embedding, and of the layer before the output.
        attention_width: of the hidden layer that scores a place.
        hidden_width: of the LSTM.
        max_length: tokens of a report, start and end included.
        dropout: probability, on the LSTM's output and before the output layer, as in the published code.
    """

    def __init__(
        self,
        vocab_size: int,
        annotation_width: int,
        word_width: int = 512,
        attention_width: int = 512,
        hidden_width: int = 1800,
        max_length: int = 100,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.max_length = max_length
        self.start_hidden = _start_network(annotation_width, hidden_width)
        self.start_cell = _start_network(annotation_width, hidden_width)
        self.word_embedding = nn.Embedding(vocab_size, word_width)
        self.attention_key = nn.Linear(annotation_width, attention_width)
        self.attention_query = nn.Linear(hidden_width, attention_width, bias=False)
        self.attention_score = nn.Linear(attention_width, 1, bias=False)
        self.attention_gate = nn.Linear(hidden_width, 1)
        self.gates_of_word = nn.Linear(word_width, 4 * hidden_width)
        self.gates_of_hidden = nn.Linear(hidden_width, 4 * hidden_width, bias=False)
        self.gates_of_context = nn.Linear(annotation_width, 4 * hidden_width, bias=False)
        self.dropout = Dropout(dropout)
        self.deep_of_hidden = nn.Linear(hidden_width, word_width)
        self.deep_of_context = nn.Linear(annotation_width, word_width, bias=False)
        self.output = nn.Linear(word_width, vocab_size)
        initialise(self)
        nn.init.normal_(self.word_embedding.weight)  # as strong as state and image: at 0.02 words go unheard
        forget = self.gates_of_word.bias.detach()[hidden_width : 2 * hidden_width]
        forget.fill_(1.0)  # reports are long: remember at first

    def forward(self, annotations: Tensor, tokens: Tensor) -> Told:
        """Predict the token after each one.

        Args:
            annotations: features of the image, one a place, `[B, L, D]`.
            tokens: the report, `[B, T]`, padded at the end.
        """
        if tokens.shape[1] > self.max_length:
            raise ValueError(f"Reports have {tokens.shape[1]} tokens, the LSTM takes {self.max_length}.")
        read, state = self._read(annotations), self._start(annotations)
        words = self.word_embedding(tokens)  # [B, T, m]
        gates_of_words = self.gates_of_word(words)  # [B, T, 4 n], all at once: the rest depends on the state
        hidden, contexts, weights = [], [], []
        for gates in gates_of_words.unbind(dim=1):
            context, looked = self._look(state, read)
            state = self._advance(state, gates, context)
            hidden.append(state.hidden)
            contexts.append(context)
            weights.append(looked)
        logits = self._predict(words, torch.stack(hidden, dim=1), torch.stack(contexts, dim=1))
        return Told(logits, torch.stack(weights, dim=1))

    @torch.no_grad()
    def start_from_frequencies(self, tokens: Tensor) -> None:
        """Let the output begin with how often each token is the next one in the training reports `[N, T]`."""
        frequencies = next_token_log_frequencies(tokens, self.output.out_features, PAD_ID)
        self.output.bias.copy_(frequencies)

    @torch.no_grad()
    def generate(self, annotations: Tensor, beam_size: int = 1, length_penalty: float = 1.0) -> Tensor:
        """Write reports; put the module into evaluation mode first.

        Args:
            annotations: features of the images, `[B, L, D]`.
            beam_size: hypotheses kept; 1 is greedy search.
            length_penalty: 0 ranks hypotheses by log-probability, 1 by its mean over the tokens.

        Returns:
            Token ids `[B, max_length]`: start, report, end, padding.
        """
        return write_tokens(
            _Steps(self, annotations),
            len(annotations),
            beam_size=beam_size,
            max_length=self.max_length,
            length_penalty=length_penalty,
            device=annotations.device,
        )

    def _read(self, annotations: Tensor) -> Annotations:
        return Annotations(annotations, self.attention_key(annotations))

    def _start(self, annotations: Tensor) -> State:
        """Guess the state before the first token from the mean annotation."""
        mean = annotations.mean(dim=1)  # [B, D]
        return State(self.start_hidden(mean).float(), self.start_cell(mean).float())

    def _look(self, state: State, read: Annotations) -> tuple[Tensor, Tensor]:
        """Return what the attention sees [B * K, D], scaled by the gate, and its weights [B * K, L]."""
        # The hypotheses of a report look at the same image: they are more queries to it, not copies of it.
        query = self.attention_query(state.hidden).unflatten(0, (len(read.keys), -1))  # [B, K, A]
        scores = self.attention_score(torch.tanh(read.keys.unsqueeze(1) + query.unsqueeze(2))).squeeze(-1)
        weights = scores.float().softmax(dim=-1)  # [B, K, L]
        context = (weights @ read.values).flatten(0, 1)  # [B * K, D]
        return self.attention_gate(state.hidden).sigmoid() * context, weights.flatten(0, 1)

    def _advance(self, state: State, gates_of_word: Tensor, context: Tensor) -> State:
        """Advance the LSTM by one token; the state stays float32 under autocast."""
        gates = gates_of_word + self.gates_of_hidden(state.hidden) + self.gates_of_context(context)
        enter, keep, show, new = gates.float().chunk(4, dim=-1)  # [B * K, n] each
        cell = keep.sigmoid() * state.cell + enter.sigmoid() * new.tanh()
        return State(show.sigmoid() * cell.tanh(), cell)

    def _predict(self, words: Tensor, hidden: Tensor, contexts: Tensor) -> Tensor:
        """Give logits from the last word, the state after it and what was seen; tanh as published."""
        deep = words + self.deep_of_hidden(self.dropout(hidden)) + self.deep_of_context(contexts)
        return self.output(self.dropout(deep.tanh()))


def _start_network(annotation_width: int, hidden_width: int) -> nn.Module:
    """Make the perceptron that guesses half of the first state."""
    return nn.Sequential(
        nn.Linear(annotation_width, hidden_width),
        nn.ReLU(),
        nn.Linear(hidden_width, hidden_width),
        nn.Tanh(),
    )


class _Steps:
    """The LSTM token by token; the state of every hypothesis is kept."""

    def __init__(self, model: AttentionLSTM, annotations: Tensor):
        self.model = model
        self.read = model._read(annotations)
        self.state = model._start(annotations)

    def __call__(self, tokens: Tensor, parents: Tensor) -> Tensor:
        """Return logits [B * K, vocabulary] after tokens [B * K], which continue the hypotheses `parents`."""
        rows_per_state = len(tokens) // len(self.state.hidden)  # K at first, where a report has one state
        state = State(*(part[parents // rows_per_state] for part in self.state))
        words = self.model.word_embedding(tokens)
        context, _ = self.model._look(state, self.read)
        self.state = self.model._advance(state, self.model.gates_of_word(words), context)
        return self.model._predict(words, self.state.hidden, context)
