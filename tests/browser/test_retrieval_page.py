"""The page on retrieval in a real browser: a person types sentences, picks pictures, leaves patients out."""

import ast

import pytest

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import Store
from workbench.train import pretrain

pytestmark = pytest.mark.browser

SIZES = ("width=32", "depth=1", "num_heads=2", "mlp_width=64")
TINY = [
    *("augment.crop_size=32", "train.autocast=none", "train.log_every=1", "device=cpu"),
    *(f"objective.text.{size}" for size in SIZES),
    "objective.encoder.base_width=4",
    *("objective.max_text_tokens=16", "objective.embedding_width=16", "loader.batch_size=8"),
    *("train.steps=6", "train.validate_every=3", "train.keep_every=3", "optimizer.warmup_steps=1"),
]


@pytest.fixture(scope="module")
def store(lab):
    """Return a store of small phantom studies; a ConVIRT of six steps stands finished before the server."""
    path = lab.root / "searched"
    reader = open_reader("phantom", studies=120, image_size=48)
    ingest(reader, path, image_size=48, workers=0, progress=False)
    pretrain("convirt/phantom", [f"store={path}", *TINY], root=lab.root / "runs", progress=False)
    return Store(path)


def test_a_person_looks_for_studies(store, put_page, open_page, run_all, ask_kernel, tmp_path):
    overrides = [f"store={store.path}", *TINY]
    page = open_page(
        put_page("07_retrieval_zero_shot", overrides=overrides, min_positives=1, checkpoint_ratio=0.1)
    )
    run_all(page)
    console = page.locator(".wb-retrieval").first
    rows = ".wb-retrieval .wb-retrieved tbody tr"
    page.wait_for_selector(rows)

    def says(text: str) -> None:
        page.wait_for_function(
            "text => document.querySelector('.wb-retrieval').textContent.includes(text)", arg=text
        )

    def best() -> list[int]:
        return ast.literal_eval(ask_kernel(page, "console.best.tolist()"))

    says('Pictures that fit "The heart is enlarged."')
    assert console.locator(".wb-retrieved tbody img").count() == 8
    before = best()

    # Another sentence: the kernel ranks anew, and the table shows its order.
    sentence = console.get_by_placeholder("type a sentence, then Enter")
    sentence.fill("There is a large pleural effusion on the left.")
    sentence.press("Enter")
    says('Pictures that fit "There is a large pleural effusion on the left."')
    assert ask_kernel(page, "console.sentence") == "'There is a large pleural effusion on the left.'"
    after = best()
    assert after != before
    study = store.studies["study_id"].iloc[int(ask_kernel(page, "search.study_rows[console.best[0]].item()"))]
    says(study)
    page.wait_for_selector(".wb-scores .js-plotly-plot .barlayer .point")

    # What is no sentence is answered in words, and the answer before stays.
    sentence.fill("???")
    sentence.press("Enter")
    says("There is no word to look for")
    assert best() == after

    # By example, by what was found, with and without the same patient, more of them.
    example = console.locator("select:has(option:text-is('or an example ...'))")
    example.select_option(label="Pneumothorax")
    says("pneumothorax")
    console.locator("select:has(option:text-is('like number 2'))").select_option(label="like number 2")
    says("Pictures like that of study")
    says("looked with")
    console.locator("label:has-text('leave the same patient out') input").uncheck()
    page.wait_for_function("() => !document.querySelector('.wb-retrieval input[type=checkbox]').checked")
    number = console.locator("input[type=number]")
    number.fill("3")
    number.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('.wb-retrieval').querySelectorAll('tbody img').length === 4"
    )
    assert ask_kernel(page, "console.apart, console.k") == "(False, 3)"

    shot = tmp_path / "retrieval.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size > 50_000
