"""The shell of the manifest maker: lays its controls out and passes on what a person does."""

from typing import Any

from lib.data.splits import SPLITS


def maker_shell(model: Any) -> Any:
    """Return the widget of a `ManifestMaker`."""
    import ipywidgets

    def number(description: str, value: int, most: int) -> Any:
        return ipywidgets.BoundedIntText(
            value=value,
            min=0,
            max=most,
            description=description,
            style={"description_width": "82px"},
            layout={"width": "170px"},
        )

    seed = number("seed", model.plan.seed, 2**31)
    shares = [
        number(f"{split} %", share, 100) for split, share in zip(SPLITS, model.plan.shares, strict=True)
    ]
    official = ipywidgets.Checkbox(
        value=model.plan.official, description="keep the data set's own split", indent=False
    )
    flags = {
        flag: ipywidgets.Checkbox(
            value=flag in model.plan.leave_out,
            description=f"{flag.replace('_', ' ')} ({count:,})",
            indent=False,
            layout={"width": "190px"},
        )
        for flag, count in model.flags.items()
    }
    name = ipywidgets.Text(
        placeholder="name of the file, if it shall have one",
        continuous_update=False,
        layout={"width": "270px"},
    )
    freeze = ipywidgets.Button(description="Freeze", icon="lock", button_style="primary")
    place = ipywidgets.Label()
    preview, report = (ipywidgets.HTML().add_class(f"wb-{part}") for part in ("preview", "report"))

    def draw() -> None:
        preview.value, report.value = model.preview(), model.report()
        freeze.disabled = bool(model.problem)
        place.value = "" if model.problem else model.plan.path(model.store).name

    def ask(*_: Any) -> None:
        model.change(
            seed=seed.value,
            shares=tuple(share.value for share in shares),
            official=official.value,
            leave_out=tuple(flag for flag, box in flags.items() if box.value),
            name=name.value.strip(),
        )
        draw()

    def press(*_: Any) -> None:
        freeze.disabled, report.value = True, "Saving and auditing ..."
        try:
            model.freeze()
        except ValueError as error:
            model.refusal = str(error)
        draw()

    for control in (seed, *shares, official, *flags.values(), name):
        control.observe(ask, "value")
    freeze.on_click(press)
    draw()
    left_out = ipywidgets.HBox(
        [ipywidgets.Label("Leave out studies flagged as", layout={"width": "98%"}), *flags.values()],
        layout={"flex_flow": "row wrap"},
    )
    rows = [ipywidgets.HBox([seed, *shares, *[official] * model.has_own_split])]
    rows += [left_out] * bool(flags)
    rows += [preview, ipywidgets.HBox([name, freeze, place]), report]
    return ipywidgets.VBox(rows).add_class("wb-manifest-maker")
