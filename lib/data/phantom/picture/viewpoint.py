"""Where a picture is taken from: patient coordinates in cm <-> pixels."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True, kw_only=True)
class Viewpoint:
    """Geometry of one view.

    Every structure is projected in parallel beams and enlarged as its own depth asks for, which is a
    cone beam to first order.

    Attributes:
        position: "PA", "AP" or "LATERAL".
        right: (x, y) of the patient that the picture's right side points to.
        towards: (x, y) of the patient that points to the X-ray source.
        distance: cm from the source to the middle of the patient.
        field: cm at the middle of the patient that the picture spans.
        centre: cm (sideways, up) at the middle of the picture.
        size: pixels of a side.
    """

    position: str
    right: tuple[float, float]
    towards: tuple[float, float]
    distance: float
    field: float
    centre: tuple[float, float]
    size: int

    @property
    def pixels_per_cm(self) -> float:
        """Scale at the middle of the patient."""
        return self.size / self.field

    def magnification(self, depth: float) -> float:
        """Return the enlargement of what lies `depth` cm nearer to the source than the middle."""
        return self.distance / (self.distance - depth)

    def project(self, point: tuple[float, float, float]) -> tuple[float, float]:
        """Return (column, row) of a point, in pixels, not clipped."""
        x, y, z = point
        sideways = self.right[0] * x + self.right[1] * y
        enlarge = self.magnification(self.towards[0] * x + self.towards[1] * y)
        scale = self.pixels_per_cm
        return (
            (sideways * enlarge - self.centre[0]) * scale + 0.5 * self.size,
            (self.centre[1] - z * enlarge) * scale + 0.5 * self.size,
        )


def build_viewpoint(
    position: str, yaw: float, distance: float, field: float, centre: tuple, size: int
) -> Viewpoint:
    """Place source and detector.

    Args:
        position: "PA", "AP" or "LATERAL" (left side at the detector, shown facing left).
        yaw: radians by which the patient is turned about the long axis.
        distance: cm from the source to the middle of the patient.
        field: cm that the picture spans.
        centre: cm (sideways, up) at the middle of the picture.
        size: pixels of a side.
    """
    cos, sin = math.cos(yaw), math.sin(yaw)
    left, front = (cos, -sin), (sin, cos)  # what the turned patient's x and y are made of
    right = left if position != "LATERAL" else (-front[0], -front[1])
    towards = {"PA": (-front[0], -front[1]), "AP": front, "LATERAL": (-left[0], -left[1])}[position]
    return Viewpoint(
        position=position,
        right=right,
        towards=towards,
        distance=distance,
        field=field,
        centre=centre,
        size=size,
    )
