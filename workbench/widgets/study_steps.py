"""The controls that lead from study to study, and the one that fades maps."""

from collections.abc import Callable
from typing import Any

from workbench.figures.attended import OPACITY
from workbench.widgets.study_walk import StudyWalk


class StudySteps:
    """Buttons, a slider and a name.

    Attributes:
        back: to the study before.
        place: of the study.
        onward: to the next study.
        name: of a study or patient.
    """

    def __init__(self, model: StudyWalk, told: Callable[[Callable[..., None]], Callable[..., None]]):
        """Make the controls.

        Args:
            model: that they lead.
            told: turns what a person does into a function that does it and draws what there is to see.
        """
        import ipywidgets

        self._model = model
        self.place = ipywidgets.IntSlider(
            max=len(model.reader.studies) - 1,
            readout=False,
            continuous_update=False,
            layout={"width": "250px"},
        )
        self.back, self.onward = (
            ipywidgets.Button(icon=icon, tooltip=tooltip, layout={"width": "36px"})
            for icon, tooltip in (("chevron-left", "the study before"), ("chevron-right", "the next study"))
        )
        self.name = ipywidgets.Text(
            placeholder="study or patient, then Enter", continuous_update=False, layout={"width": "210px"}
        )
        self.place.observe(lambda change: told(model.go_to)(change["new"]), "value")
        self.name.observe(lambda change: told(model.find)(change["new"]), "value")
        self.back.on_click(lambda _: told(model.go_to)(model.place - 1))
        self.onward.on_click(lambda _: told(model.go_to)(model.place + 1))

    @property
    def row(self) -> list[Any]:
        """The controls from left to right."""
        return [self.back, self.place, self.onward, self.name]

    def draw(self) -> None:
        """Show where the study stands."""
        self.place.value, self.name.value = self._model.place, ""


def map_slider(panes: Any) -> Any:
    """Return the slider that fades the maps of `workbench.widgets.view_panes.view_panes`."""
    import ipywidgets

    opacity = ipywidgets.FloatSlider(
        value=OPACITY, min=0, max=1, step=0.05, description="map", readout=False, layout={"width": "190px"}
    )
    opacity.style.description_width = "34px"
    ipywidgets.jslink((opacity, "value"), (panes, "opacity"))
    return opacity
