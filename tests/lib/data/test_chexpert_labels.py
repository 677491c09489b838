import math

import pytest

from lib.data.chexpert_labels import CHEXPERT_LABELS, OPENI_HEADINGS, labels_from_headings


def present(*headings):
    labels = labels_from_headings(headings)
    assert tuple(labels) == CHEXPERT_LABELS
    return {name for name, value in labels.items() if value == 1.0}


def test_the_labels_are_the_fourteen_of_chexpert_in_its_order():
    assert len(set(CHEXPERT_LABELS)) == 14
    assert CHEXPERT_LABELS[0] == "No Finding" and CHEXPERT_LABELS[-1] == "Support Devices"
    assert set(OPENI_HEADINGS) == set(CHEXPERT_LABELS) - {"No Finding"}


@pytest.mark.parametrize(
    ("heading", "labels"),
    [
        ("normal", {"No Finding"}),
        ("Cardiomegaly/borderline", {"Cardiomegaly"}),
        ("Cardiac Shadow/enlarged/mild", {"Cardiomegaly"}),
        ("Cardiac Shadow/obscured/severe", set()),
        ("Mediastinum/prominent/mild", {"Enlarged Cardiomediastinum"}),
        ("Opacity/lung/base/left/streaky", {"Lung Opacity"}),
        ("Opacity/left/retrocardiac", {"Lung Opacity"}),
        ("Opacity/ribs/left/round/multiple/small", set()),
        ("Density/mediastinum", set()),
        ("Markings/bronchovascular", set()),
        ("Markings/lung/interstitial/prominent", {"Lung Opacity"}),
        ("Nodule/lung/lingula", {"Lung Lesion"}),
        ("Mass/breast/large", set()),
        ("Calcified Granuloma/lung/lingula", set()),
        ("Pulmonary Congestion/mild", {"Edema"}),
        ("Hydropneumothorax/right", {"Pneumothorax", "Pleural Effusion"}),
        ("Pericardial Effusion/large", set()),
        ("Thickening/pleura/apex/bilateral", {"Pleural Other"}),
        ("Thickening/lung/upper lobe/bronchi/left/scattered", {"Lung Opacity"}),
        ("Costophrenic Angle/bilateral/blunted", set()),
        ("Fractures, Bone/ribs/left/healed", {"Fracture"}),
        ("Tube, Inserted/trachea, carina", {"Support Devices"}),
        ("Surgical Instruments/abdomen/right", set()),
    ],
)
def test_one_heading(heading, labels):
    assert present(heading) == labels


def test_letter_case_and_spaces_do_not_matter():
    assert present(" Normal ") == {"No Finding"}
    assert present("CARDIOMEGALY", "Pleural effusion / left /small ") == {"Cardiomegaly", "Pleural Effusion"}


def test_normal_counts_only_alone():
    assert present("normal", "Cardiomegaly") == {"Cardiomegaly"}
    assert present("normal", "") == {"No Finding"}
    assert present("Technical Quality of Image Unsatisfactory ") == set()


def test_nothing_follows_from_another_label():
    assert present("Pneumonia/lower lobe/left") == {"Pneumonia"}
    assert present("Cardiomegaly/severe", "Pulmonary Atelectasis") == {"Cardiomegaly", "Atelectasis"}


@pytest.mark.parametrize("headings", [[], [""], ["No Indexing"]])
def test_without_indexing_nothing_is_known(headings):
    assert all(math.isnan(value) for value in labels_from_headings(headings).values())
