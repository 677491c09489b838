"""Maps on the pictures of the embedding explorer: which, where, what is refused, and the menus."""

import io

import numpy as np
import pytest
from PIL import Image

from workbench.embedding_reading import picture_maps
from workbench.widgets.embedding_explorer import EmbeddingExplorer
from workbench.widgets.map_overlay import NOWHERE, SHEET, STUDY

pytestmark = pytest.mark.usefixtures("one_thread")

GROUP = [3, 8, 20, 21]


@pytest.fixture
def explorer(atlas, tuned):
    explorer = EmbeddingExplorer(atlas, methods=["pca"], colour="device", errors=tuned.id)
    explorer.lasso(GROUP)
    explorer.overlay.lie_on(STUDY)
    return explorer


@pytest.fixture
def asked(monkeypatch):
    """Return the number of pictures of every time that maps were computed."""
    counts, compute = [], picture_maps.explain

    def count(model, images, *rest, **options):
        counts.append(len(images))
        return compute(model, images, *rest, **options)

    monkeypatch.setattr(picture_maps, "explain", count)
    return counts


def is_coloured(picture: np.ndarray) -> bool:
    return picture.ndim == 3 and bool((picture.max(axis=2) > picture.min(axis=2)).any())


def written(figure) -> str:
    return " ".join(one.text for one in figure.layout.annotations)


def test_nothing_is_computed_before_it_is_asked_for(atlas, asked):
    explorer = EmbeddingExplorer(atlas, methods=["pca"], words="opacity")
    explorer.static()
    explorer.study()
    assert explorer.overlay.where == NOWHERE and asked == [] and explorer.overlay.legend() == ""
    explorer.overlay.lie_on(STUDY)
    explorer.static()
    assert asked == [len(explorer.places_of_study)]  # of 260 pictures
    explorer.overlay.lie_on(SHEET)
    explorer.static()
    assert sum(asked) == len({*explorer.on_sheet(), *explorer.places_of_study})
    explorer.static()
    assert sum(asked) == len({*explorer.on_sheet(), *explorer.places_of_study})


def test_a_pre_training_shows_what_stands_out_and_a_fine_tuning_a_finding(explorer, tuned):
    overlay = explorer.overlay
    assert [one.checkpoint.title for one in overlay.sources][:2] == ["ConVIRT", "random initialisation"]
    assert overlay.source.checkpoint.weights == "trained" and overlay.method == "eigen_cam"
    assert overlay.menus()["finding"] == [] and "Eigen-CAM by ConVIRT" in written(explorer.study())
    overlay.take(2)
    assert overlay.source.checkpoint.run.id == tuned.id
    assert overlay.method == "eigen_cam" and overlay.finding == "device"  # the one that was coloured by
    overlay.explain_by("cam")
    text = written(explorer.study()).replace("<br>", " ")
    probability = overlay.source.maps([explorer.focus], "cam", "device")[0].probability
    assert "of device by" in text and f"probability {probability:.2f}" in text
    overlay.take(0)
    assert overlay.method == "eigen_cam"  # a pre-training has no CAM
    overlay.take(2)
    assert overlay.finding == "device"


def test_another_finding_is_another_map(explorer):
    overlay = explorer.overlay
    overlay.take(2)
    overlay.explain_by("cam")
    (device,) = overlay.covers([3])
    overlay.look_for("opacity")
    (opacity,) = overlay.covers([3])
    assert "of opacity" in opacity.words and "of device" in device.words
    assert not np.array_equal(device.heat, opacity.heat) or not device.heat.any()


@pytest.mark.parametrize(
    ("wish", "value", "named"),
    [
        ("explain_by", "cam", "no map by 'cam'; it has attention, eigen_cam, rollout"),
        ("look_for", "Edema", "does not know 'Edema'; it knows none: it was not fine-tuned"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(explorer, wish, value, named):
    before = explorer.overlay.state
    getattr(explorer.overlay, wish)(value)
    assert named in explorer.said and explorer.overlay.state == before
    explorer.overlay.explain_by("rollout")
    assert explorer.said == ""


def test_another_place_is_refused(atlas):
    with pytest.raises(ValueError, match="maps='everywhere': give one of '', 'study', 'sheet'"):
        EmbeddingExplorer(atlas, methods=["pca"], maps="everywhere")


@pytest.mark.parametrize("error", [ValueError("The map is not finite."), FileNotFoundError("No weights.")])
def test_maps_that_cannot_be_computed_are_said_and_the_pictures_stay(explorer, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(picture_maps, "explain", fail)
    explorer.overlay.lie_on(SHEET)
    said = " ".join(one for one in explorer.static() if isinstance(one, str))
    assert str(error) in said and not explorer.sheet().layout.images
    assert all(picture.ndim == 2 for picture in explorer.sheet_pictures())
    assert "Eigen-CAM" not in written(explorer.study())


def test_maps_of_zeros_are_said(explorer, monkeypatch):
    monkeypatch.setattr(picture_maps, "explain", lambda model, images, *_, **__: images[:, 0, ::8, ::8] * 0)
    assert "zero everywhere" in written(explorer.study()).replace("<br>", " ")


class Menus:
    """The widget of an explorer with the menus of its maps."""

    def __init__(self, explorer):
        *_, self.message, _, _, controls, self.sheet, _, self.study = explorer.live().children
        menus, self.legend = controls.children
        self.where, self.model, self.method, self.finding = menus.children

    @property
    def pictures(self):
        grid = self.sheet.children[1]
        return [np.asarray(Image.open(io.BytesIO(tile.children[0].value))) for tile in grid.children]

    @property
    def written(self):
        (output,) = self.study.outputs
        content = output["data"]["application/vnd.plotly.v1+json"]
        return " ".join(one["text"] for one in content["layout"]["annotations"]).replace("<br>", " ")


def test_menus_show_what_there_is_and_pass_on(explorer):
    explorer.overlay.lie_on(NOWHERE)
    shell = Menus(explorer)
    assert [one.layout.display for one in (shell.model, shell.method, shell.finding)] == ["none"] * 3
    shell.where.value = STUDY
    assert "Eigen-CAM by ConVIRT" in shell.written and "Eigen-CAM: first principal" in shell.legend.value
    assert not any(is_coloured(picture) for picture in shell.pictures)
    assert shell.model.layout.display == "" and shell.finding.layout.display == "none"
    shell.where.value = SHEET
    assert all(is_coloured(picture) for picture in shell.pictures) and len(shell.pictures) == len(GROUP)
    shell.model.value = 2
    assert shell.finding.value == "device" and shell.finding.disabled  # Eigen-CAM looks at none
    shell.method.value = "cam"
    assert "of device by" in shell.written and not shell.finding.disabled
    shell.finding.value = "opacity"
    assert "of opacity by" in shell.written and explorer.overlay.finding == "opacity"
    shell.model.value = 0
    assert shell.method.value == "eigen_cam" and explorer.overlay.number == 0
    shell.where.value = NOWHERE
    assert "Eigen-CAM" not in shell.written and not any(is_coloured(one) for one in shell.pictures)


def test_the_widget_says_why_there_are_no_maps(explorer, monkeypatch):
    shell = Menus(explorer)

    def fail(*_, **__):
        raise ValueError("The <rollout> map is not finite.")

    monkeypatch.setattr(picture_maps, "explain", fail)
    shell.method.value = "rollout"
    assert "The &lt;rollout&gt; map is not finite." in shell.message.value
    assert "rollout by" not in shell.written
    monkeypatch.undo()
    shell.method.value = "attention"
    assert "not finite" not in shell.message.value and "attention by" in shell.written


def test_the_cross_takes_the_pictures_and_their_maps_back(explorer):
    explorer.overlay.lie_on(SHEET)
    shell = Menus(explorer)
    explorer.clear()
    shell.where.value = STUDY
    assert shell.study.outputs == () and shell.pictures == []
    shell.where.value = SHEET
    assert explorer.said == ""
