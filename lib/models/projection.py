"""Projection heads: from an encoder's feature into the space where image and text are compared."""

from torch import Tensor, nn

from lib.models.initialise import initialise

KINDS = ("mlp", "linear")


class ProjectionHead(nn.Module):
    """Project features with one hidden layer, W2 relu(W1 h), or with W h alone (ConVIRT, 2.3 and Table 3).

    No biases, as in the paper's formula.

    Args:
        width_in: of the encoder's feature.
        width_out: of the shared space; 512 in ConVIRT (appendix A).
        hidden: width of the hidden layer; None: as wide as the feature, which the paper leaves open. A linear
            head has none.
        kind: "mlp" or "linear".

    Raises:
        ValueError: unknown kind, or a hidden width for a linear head.
    """

    def __init__(self, width_in: int, width_out: int = 512, *, hidden: int | None = None, kind: str = "mlp"):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"Unknown projection {kind!r}. Known: {', '.join(KINDS)}.")
        if kind == "linear" and hidden is not None:
            raise ValueError(f"A linear projection has no hidden layer; leave out hidden={hidden}.")
        if kind == "mlp":
            hidden = width_in if hidden is None else hidden
            self.hidden = nn.Linear(width_in, hidden, bias=False)
            self.relu = nn.ReLU(inplace=True)
            self.output = nn.Linear(hidden, width_out, bias=False)
        else:
            self.output = nn.Linear(width_in, width_out, bias=False)
        self.kind, self.width = kind, width_out
        initialise(self)

    def forward(self, features: Tensor) -> Tensor:
        """Project `[N, width_in]` to `[N, width_out]`."""
        if self.kind == "mlp":
            features = self.relu(self.hidden(features))
        return self.output(features)
