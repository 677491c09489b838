import numpy as np
import pytest

from workbench.published import read_predictions


def test_scores_stand_where_they_belong(table, save):
    found = read_predictions(save(table))
    assert list(found) == ["nih", "shenzhen"]
    nih = found["nih"]
    assert nih.findings == ("Edema", "Lung Opacity", "Mass")  # "lung opacity" of c2l is the same
    assert nih.label_ratios == [0.1, 1.0]
    assert sorted(nih.methods(0.1)) == ["c2l", "imagenet", "refers"]
    assert found["shenzhen"].labels.shape == (80, 1)
    generator = np.random.default_rng(0)
    for row in table.iloc[generator.choice(len(table), 40)].itertuples():
        one = found[row.target]
        place = [name.lower() for name in one.findings].index(row.finding.lower())
        assert one.labels[row.row, place] == row.label
        assert one.scores[row.method, round(row.label_ratio, 6)][row.row, place] == row.score


def cell(table, method="refers", finding="Mass", row=7, label_ratio=0.1):
    chosen = (table["method"] == method) & (table["finding"] == finding) & (table["row"] == row)
    (place,) = table.index[chosen & np.isclose(table["label_ratio"], label_ratio)]
    return place


def missing_row(table):
    return table.drop(index=cell(table))


def duplicate_row(table):
    return table.iloc[[*range(len(table)), cell(table)]]


def nan_score(table):
    table.loc[cell(table), "score"] = np.nan
    return table


def strange_label(table):
    table.loc[cell(table), "label"] = 2
    return table


def other_images(table):
    table.loc[cell(table), "label"] = 1 - table.loc[cell(table), "label"]
    return table


def whole_finding(table):
    return table[(table["method"] != "refers") | (table["finding"] != "Mass")]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (missing_row, "row 7 of nih, 0.1, refers, Mass is missing; each of 80 images"),
        (duplicate_row, "row 7 of nih, 0.1, refers, Mass is there 2 times"),
        (
            nan_score,
            "1 of 1680 rows have a score that is no number, the first nan in nih, 0.1, refers, Mass, row 7",
        ),
        (strange_label, "a label that is neither 0 nor 1, the first 2"),
        (other_images, "of nih, 0.1, .*, Mass is not that of another method"),
        (whole_finding, "row 0 of nih, 0.1, refers, Mass is missing"),
        (lambda table: table.drop(columns="score"), "lacks the column 'score'"),
        (lambda table: table.assign(row=table["row"] - 1), "no place in a test list, the first -1"),
    ],
)
def test_a_spoilt_table_is_refused_with_its_place(table, save, spoil, named):
    path = save(spoil(table.copy()))
    with pytest.raises(ValueError, match=named):
        read_predictions(path)


def test_a_missing_file_says_where_to_read_on(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"docs/statistics\.md"):
        read_predictions(tmp_path / "none.parquet")
