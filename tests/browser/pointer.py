"""Where the pointer goes in a figure that may be drawn anew at any moment."""

AT_REST = """async ([selector, index]) => {
    // plotly makes its parts anew with every drawing, and says of a change before it is drawn.
    for (let tries = 0; tries < 120; tries++) {
        const part = [...document.querySelectorAll(selector)].at(index);
        part?.scrollIntoView({block: 'nearest'});
        const before = part?.getBoundingClientRect();
        await new Promise(wake => setTimeout(wake, 300));
        if (!part?.isConnected) continue;
        const after = part.getBoundingClientRect();
        if (before.x === after.x && before.y === after.y) return after.toJSON();
    }
    throw new Error(`${selector} never comes to rest`);
}"""


def rest_box(page, selector: str, index: int) -> dict[str, float]:
    """Bring a part into view, wait until it is neither replaced nor moved, and return its box.

    Returns:
        `x`, `y`, `width`, `height` in pixels of the window.
    """
    return page.evaluate(AT_REST, [selector, index])
