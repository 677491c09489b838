"""Tables and figures of published numbers show what was computed, and mark what a reader must see."""

import re

import numpy as np
import pytest
from tiny_published import make_table, save_table

from lib.metrics.calibration import reliability
from lib.metrics.power import patients_needed
from workbench.figures import published, published_tables
from workbench.figures.published_page import PublishedPage
from workbench.published import printed_tables, read_predictions
from workbench.published.reading import FEW_POSITIVES, PublishedReading


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return save_table(make_table(), tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def reading(path):
    return PublishedReading(read_predictions(path), replicates=200, tolerance=15)


def rows_of(html):
    body = html.partition("<tbody>")[2]
    return [
        [re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body)
    ]


@pytest.mark.parametrize("name", printed_tables())
def test_a_printed_table_shows_every_number(name):
    table = printed_tables()[name]
    html = published_tables.printed_html(table)
    rows = rows_of(html)
    assert len(rows) == len(table.names) + bool(table.p_values)
    for row, values in zip(rows, table.values, strict=False):
        shown = [cell.strip() for cell in row[1 + len(table.parts) :]]
        assert shown == ["-" if np.isnan(value) else f"{value:.1f}" for value in values]
    # A best value that two methods share is bold twice, as in the paper.
    best = (table.values == np.nanmax(table.values, axis=0)).sum()
    assert html.count("<b>") == best


def test_cells_that_differ_are_marked_and_others_are_not(reading):
    html = published_tables.rebuilt_html(reading)
    marked = int(reading.rebuilt["differs"].sum())
    assert 0 < marked < reading.rebuilt["auroc"].notna().sum() == 9
    assert html.count("wb-differs") == html.count("differs ") == marked
    assert f"{marked} of 9 cells are marked" in html
    assert html.count("no file") == 9 * 6 - 9
    row = reading.rebuilt.query("differs").iloc[0]
    assert f"differs {row.gap:+.1f}" in html and f"{100 * row.auroc:.2f}" in html


def test_differences_stand_beside_the_printed_p_value(reading):
    rows = rows_of(published_tables.differences_html(reading, "c2l"))
    found = reading.differences.query("other == 'c2l'")
    assert len(rows) == len(found) == 3
    for cells, row in zip(rows, found.itertuples(), strict=True):
        assert cells[1] == f"{100 * row.difference:+.1f}" and row.verdict in cells[3]
    assert rows[0][6] == "8.7e-04" and rows[2][6] == "0.0017"
    assert [cells[4] == "-" for cells in rows] == [True, True, False]


def test_findings_carry_their_positives_and_lost_resamples(reading):
    rows = rows_of(published_tables.findings_html(reading, "nih", 0.1, "c2l"))
    found = published_tables.comparison(reading, "nih", 0.1, "c2l")
    assert [row[0] for row in rows] == list(found["finding"])
    assert [int(row[1].split()[0]) for row in rows] == list(found["num_positives"])
    assert ["few" in row[1] for row in rows] == list(found["num_positives"] < FEW_POSITIVES)
    figure = published.findings(reading, "nih", 0.1, "c2l")
    shown = {name: x for trace in figure.data for name, x in zip(trace.y, trace.x, strict=True)}
    for row in found.itertuples():
        assert shown[row.finding] == pytest.approx(100 * row.difference)
    full, hollow = figure.data
    assert len(full.x) == (found["p_holm"] < 0.05).sum() and hollow.marker.symbol == "circle-open"
    with pytest.raises(ValueError, match="'refers' is the method itself"):
        published.findings(reading, "nih", 0.1, "refers")
    with pytest.raises(ValueError, match="No predictions of 'simclr'"):
        published.findings(reading, "nih", 0.1, "simclr")


def test_all_differences_are_drawn_with_their_intervals(reading):
    figure = published.differences(reading)
    assert [trace.name for trace in figure.data] == ["C2L", "ImageNet"]
    for trace, other in zip(figure.data, ("c2l", "imagenet"), strict=True):
        found = reading.differences[reading.differences["other"] == other]
        np.testing.assert_allclose(trace.x, 100 * found["difference"])
        np.testing.assert_allclose(trace.x + trace.error_x.array, 100 * found["high"])
        np.testing.assert_allclose(trace.x - trace.error_x.arrayminus, 100 * found["low"])


def test_calibration_draws_the_bins_and_says_what_is_beyond_one(path):
    predictions = read_predictions(path)
    predictions["nih"].scores["c2l", 1.0][:2] = 1.05
    figure = published.calibration(PublishedReading(predictions, replicates=10), "nih", 1.0)
    assert len(figure.data) == 4
    labels, scores = predictions["nih"].labels, predictions["nih"].scores["refers", 1.0]
    expected = reliability(labels.ravel(), scores.ravel())
    np.testing.assert_allclose(figure.data[0].y, expected.frequency)
    error = np.mean([reliability(*pair).error for pair in zip(labels.T, scores.T, strict=True)])
    assert figure.data[0].name == f"REFERS: {error:.3f}"
    assert "scores beyond 1 count as 1: C2L 6" in figure.layout.title.text


def test_power_says_how_many_patients_are_needed(reading):
    figure = published.power_curves(reading, "c2l", 2.0)
    row = reading.differences.query("other == 'c2l' and target == 'nih' and label_ratio == 1").iloc[0]
    needed = patients_needed(0.02, standard_error=row.standard_error, num_patients=row.num_patients)
    assert figure.data[0].name == f"NIH 100 %: {needed:,.0f}, has 80"
    assert (np.diff(figure.data[0].y) >= 0).all() and figure.data[0].y[0] < 0.1
    with pytest.raises(ValueError, match="No comparison with 'simclr'; there are c2l, imagenet"):
        published.power_curves(reading, "simclr", 2.0)


def test_copies_are_listed(reading):
    html = published_tables.likeness_html(reading)
    assert len(rows_of(html)) == 3  # one pair in each of three places
    assert html.count("<b>all</b>") == 3 and "C2L and ImageNet" in html


def test_the_page_without_predictions_shows_the_printed_table_and_says_how_to_get_them(path):
    page = PublishedPage("nowhere/none.parquet")
    note, table = page.about()
    assert "nowhere/none.parquet" in note and "docs/statistics.md" in note
    assert "76.7" in table
    for view in (page.likeness(), page.differences(), page.findings("nih", 0.1), page.power(1.0)):
        assert view == []
    assert len(page.printed()) == 8
    whole = PublishedPage(str(path), replicates=20)
    assert "wb-rebuilt" in whole.about()[0] and len(whole.differences()) == 2
