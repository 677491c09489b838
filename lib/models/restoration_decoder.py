"""A light decoder that paints a picture from the tokens of any image encoder.

Letters: N pictures, G rows and columns of the grid of tokens, P = G * G tokens, D width, H side of a picture,
C its channels, S and R the strides of the first and the second deconvolution.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.evaluating import evaluating
from lib.models.initialise import initialise


class RestorationDecoder(nn.Module):
    """Turn a grid of tokens into a picture by two deconvolutions with a ReLU in between.

    The paper of Context Restoration asks for a few deconvolutions where classification follows: what the
    picture needs shall be in the encoder. Kernels are as wide as their strides, the first 2 and the second
    what is left to the size of the picture, so each is a linear layer on every place of its grid. No place
    needs its neighbours' help, which the encoder has seen; and overlapping kernels by PyTorch's own
    deconvolution cost 0.8 times what the encoder of the phantom recipes does on a CPU, this decoder 0.1. The
    grid in between has half as many channels as a token, so twice its numbers: enough for any linear map
    through a ReLU.

    Args:
        width: of the tokens, D.
        grid_size: tokens in a row and in a column, G.
        image_size: height and width of the pictures, H, in pixels.
        channels: of the pictures.
    """

    def __init__(self, width: int, grid_size: int, image_size: int, channels: int = 1):
        super().__init__()
        stride = math.ceil(image_size / grid_size)  # of both together; what is too much at the end is cut off
        self.first_stride = 2 if stride % 2 == 0 else 1
        self.second_stride = stride // self.first_stride
        self.grid_size, self.image_size, self.channels = grid_size, image_size, channels
        self.hidden_width = max(1, width // 2)
        self.first = nn.Linear(width, self.first_stride**2 * self.hidden_width)
        self.second = nn.Linear(self.hidden_width, self.second_stride**2 * channels)
        initialise(self)

    @classmethod
    def of(cls, encoder: nn.Module) -> "RestorationDecoder":
        """Make the decoder that fits an encoder; one blank picture tells how it lays out its tokens.

        Raises:
            ValueError: its tokens make no square.
        """
        size, channels = encoder.image_size, encoder.in_channels
        with evaluating(encoder):
            device = next(encoder.parameters()).device
            num_tokens = encoder(torch.zeros(1, channels, size, size, device=device)).tokens.shape[1]
        grid_size = math.isqrt(num_tokens)
        if grid_size**2 != num_tokens:
            raise ValueError(f"{type(encoder).__name__} has {num_tokens} tokens, which make no square grid.")
        return cls(encoder.width, grid_size, size, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Paint `[N, P, D]` as `[N, C, H, H]`."""
        parts = self._parts(self._paint(tokens)).permute(0, 7, 1, 3, 5, 2, 4, 6)  # [N, C, G, S, R, G, S, R]
        painted = parts.flatten(5).flatten(2, 4)  # [N, C, H or more, H or more]
        return painted[:, :, : self.image_size, : self.image_size]

    def error(self, tokens: Tensor, pictures: Tensor) -> Tensor:
        """Return the mean squared error of what tokens `[N, P, D]` are painted as.

        Where nothing is cut off, the pictures are brought into the order in which they are painted, once:
        what is painted would have to be brought into theirs, and its gradient back.

        Args:
            tokens: of the pictures.
            pictures: `[N, C, H, H]`, float32, without gradient.
        """
        axis = (self.grid_size, self.first_stride, self.second_stride)
        if math.prod(axis) > self.image_size:
            return F.mse_loss(self(tokens).float(), pictures)
        painted = self._paint(tokens)
        wanted = torch.empty_like(painted, dtype=torch.float32)
        split = pictures.unflatten(3, axis).unflatten(2, axis)  # [N, C, G, S, R, G, S, R]
        self._parts(wanted).copy_(split.permute(0, 2, 5, 3, 6, 4, 7, 1))
        return F.mse_loss(painted.float(), wanted)

    def _paint(self, tokens: Tensor) -> Tensor:
        """Paint tokens `[N, P, D]`, each in the order of its places: `[N, P, S * S, R * R * C]`."""
        hidden = self.first(tokens).relu_()  # [N, P, S * S * D / 2]
        return self.second(hidden.unflatten(2, (self.first_stride**2, self.hidden_width)))

    def _parts(self, painted: Tensor) -> Tensor:
        """View what was painted as `[N, G, G, S, S, R, R, C]`."""
        first, second = (self.first_stride,) * 2, (self.second_stride,) * 2
        parts = painted.unflatten(3, (*second, self.channels)).unflatten(2, first)
        return parts.unflatten(1, (self.grid_size,) * 2)
