"""A report is one page: whole in itself, the same every time, and readable by everybody."""

import base64
import dataclasses
import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import sklearn_nndyn
from sklearn_nndyn import DynamicsClassifier, DynamicsLog, LossTailAnalyzer, load_dynamics, report
from sklearn_nndyn.__main__ import main
from sklearn_nndyn.analyzers import Finding
from tests.reports.records import Page, made_record

SECTIONS = [
    "verdict",
    "findings",
    "learning-curves",
    "loss-tails",
    "refinement",
    "entanglement",
    "learning-phases",
    "samples",
    "classes",
    "provenance",
    "again",
    "glossary",
]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300].astype(np.float32), y[:300]


@pytest.fixture(scope="module")
def model(digits):
    X, y = digits
    clf = DynamicsClassifier(
        max_epochs=4, record=("samples", "geometry", "reconstruction", "probe"), random_state=0
    )
    return clf.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])


@pytest.fixture(scope="module")
def html(model):
    """The page of the model."""
    return report(model).html


@pytest.fixture(scope="module")
def with_pictures(model, digits):
    """The same with its samples as pictures."""
    return report(model, digits[0][:200]).html


def test_the_verdict_comes_first_and_the_glossary_last(html):
    assert [attributes["id"] for attributes, _ in Page(html).all("section")] == SECTIONS


def test_the_same_record_gives_the_same_bytes_from_a_model_and_from_files(model, html, tmp_path):
    model.dynamics_.save(tmp_path / "run.safetensors")
    model.validation_dynamics_.save(tmp_path / "validation.safetensors")
    record, validation = (load_dynamics(tmp_path / f"{name}.safetensors") for name in ("run", "validation"))
    assert report(record, validation=validation).html == html


def test_another_record_gives_another_digest(model):
    assert report(model.dynamics_).html != report(model.dynamics_[1:]).html
    records = made_record(), made_record(), made_record(seed=1), made_record(note="other header")
    digests = [re.findall(r"\b[0-9a-f]{32}\b", report(record).html) for record in records]
    assert digests[0] == digests[1]
    assert len({digest[0] for digest in digests}) == 3


def test_a_pipeline_is_read_as_its_model(digits):
    X, y = digits
    pipeline = make_pipeline(MinMaxScaler(), DynamicsClassifier(max_epochs=2, random_state=0)).fit(X, y)
    assert report(pipeline, X).html.count('src="data:image/png') == 100 + 25


def test_nothing_is_asked_for_from_anywhere(with_pictures):
    html = with_pictures
    assert "http" not in html.replace("http-equiv", "")
    assert not re.search(r"url\(|@import|<link|<iframe|srcset|\sstyle=|\son\w+=", html)
    assert all(
        attributes["src"].startswith("data:image/png;base64,") for attributes, _ in Page(html).all("img")
    )


def test_the_policy_allows_our_own_style_and_script_and_no_others(html):
    policy = next(
        attributes["content"] for attributes, _ in Page(html).all("meta") if "http-equiv" in attributes
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        (own,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy


def test_labels_stay_text():
    nasty = "<script>alert(1)</script>"
    record = made_record(classes=("&amp;", nasty, "{{ 7 * 7 }}"), note=nasty)
    html = report(record, title=nasty).html
    assert nasty not in html
    page = Page(html)
    assert len(page.all("script")) == 1
    assert page.all("h1")[0][1] == nasty
    assert {nasty, "&amp;", "{{ 7 * 7 }}"} <= {text for _, text in page.all("td")}


def test_every_picture_has_words_and_a_table_beside_it(html, with_pictures):
    page = Page(with_pictures)
    charts = [attributes for attributes, _ in page.all("svg") if attributes.get("role") == "img"]
    assert len(charts) >= 6
    for attributes in charts:
        name, words = attributes["aria-labelledby"].split()
        assert page.text(name)
        assert re.search(r"\d", page.text(words))
    assert all("<table" in text for text in re.findall(r"<figure>(.*?)</figure>", html, re.DOTALL))
    assert all("labelled" in attributes["alt"] for attributes, _ in page.all("img"))


def test_every_table_has_a_caption_and_every_id_is_used_once(html):
    page = Page(html)
    assert len(page.all("table")) == len(page.all("caption")) > 8
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = [attributes["href"] for attributes, _ in page.all("a")]
    assert {anchor.removeprefix("#") for anchor in pointed} <= set(ids)


def test_words_of_marks_stand_in_rows_and_over_the_curves():
    """So that those of two epochs near each other are read, and no curve runs through them."""
    chart = re.search(
        r'<svg class="chart".*?</svg>', report(made_record()).html.split('id="refinement"')[1], re.DOTALL
    )
    rows = re.findall(r'class="mark-words".*?dy="(.*?)em"', chart[0])
    assert rows == ["0.00", "1.20"]
    assert chart[0].rindex('class="line') < chart[0].index('class="mark-words')


def test_findings_are_seen_whole_and_long_tables_scroll(html):
    page = Page(html)
    tables = {a["aria-labelledby"]: a["class"] for a, _ in page.all("div") if a.get("role") == "region"}
    assert tables["findings-table-caption"] == "scroll"
    assert "scroll long" in tables.values()


def test_all_is_there_without_scripts(html):
    html = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert "<button" not in html
    assert not any("hidden" in attributes for _, attributes, _ in Page(html).elements)


@pytest.mark.parametrize(
    ("leave_out", "says"),
    [
        ((), ""),
        (("margin",), "no margin"),
        (("centroids",), "no centroids"),
        (("reconstruction",), "no reconstruction"),
        (("scores",), "no scores"),
        (("loss",), "no loss"),
        (("prediction",), "no prediction"),
        (("loss", "margin", "prediction", "scores", "centroids", "reconstruction"), "no measurement"),
    ],
)
def test_what_a_record_does_not_allow_is_a_line_that_says_what_to_record(leave_out, says):
    page = Page(report(made_record(leave_out=leave_out)).html)
    notes = [text for attributes, text in page.all("p") if attributes.get("class") == "note"]
    assert [attributes["id"] for attributes, _ in page.all("section")] == SECTIONS
    if leave_out:
        assert any(says in note and "DynamicsClassifier(record=" in note for note in notes)
    else:
        assert not notes


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ({"n_epochs": 1}, "No findings on loss tails, refinement, .* and wrong labels; below"),
        ({"leave_out": ("margin",)}, "No findings on sample scores and wrong labels; below"),
        ({"leave_out": ("loss", "scores")}, "No findings on loss tails and refinement; below"),
    ],
)
def test_every_section_says_what_it_lacks_and_the_findings_only_name_it(kind, named):
    page = Page(report(made_record(**kind)).html)
    notes = [text for attributes, text in page.all("p") if attributes.get("class") == "note"]
    reasons = [text for text in notes if "Fit again" in text]
    assert len(reasons) == len(set(reasons)) >= 1
    assert "Fit again" not in page.text("findings")
    assert re.search(named, page.text("findings"))


@pytest.mark.parametrize(
    "record",
    [
        made_record(classes=(0, 1)),
        made_record(n_samples=600, classes=tuple(range(200))),
        made_record(classes=("cat", "dog", "über")),
        made_record(classes=(False, True)),
        made_record(n_epochs=1),
        made_record(n_epochs=2),
        made_record(n_samples=3),
        made_record(classes=(7,)),
        made_record(n_epochs=300),
        made_record()[:0],
    ],
    ids=[
        "two",
        "two hundred",
        "words",
        "booleans",
        "one epoch",
        "two epochs",
        "three",
        "one",
        "long",
        "none",
    ],
)
def test_any_record_has_a_page(record):
    page = Page(report(record).html)
    assert [attributes["id"] for attributes, _ in page.all("section")] == SECTIONS
    paths = " ".join(attributes.get("d", "") for attributes, _ in page.all("path"))
    assert "nan" not in paths
    assert "inf" not in paths


def test_the_figures_are_those_of_the_record(model, html):
    page = Page(html)
    validation = model.validation_dynamics_
    assert f"right on {100 * validation.accuracy[-1]:.3g} %" in page.text("verdict").replace("\u00a0", " ")
    assert "100 held-out samples" in page.text("verdict")
    assert f"{validation.loss[:, -1].mean():.3g}" in page.text("loss-curves-table")
    assert str(model.dynamics_.header["seed"]) in page.text("provenance")


def test_the_code_on_the_page_makes_the_page_again(html, digits, tmp_path, monkeypatch):
    X, y = digits
    monkeypatch.chdir(tmp_path)
    (lines,) = [text for _, text in Page(html).all("pre") if text.startswith("from sklearn_nndyn")]
    exec(lines, {"X_train": X[:200], "y_train": y[:200], "X_val": X[200:], "y_val": y[200:]})
    again = (tmp_path / "report.html").read_text(encoding="utf-8")
    curves = [Page(html).text("learning-curves") for html in (again, html)]
    assert curves[0] == curves[1]


def test_what_is_no_plain_parameter_is_left_to_the_reader():
    record = made_record(estimator="DynamicsClassifier", parameters={"module": "Net(\n  (a): b)", "lr": 0.1})
    (code,) = [text for _, text in Page(report(record).html).all("pre") if "import" in text]
    assert "    # module: Net( (a): b)\n" in f"{code}\n"
    compile(code, "page", "exec")


def test_pictures_belong_to_the_record_of_their_number(model, html, with_pictures, digits):
    X, _ = digits
    worst, scores = 25, 100
    assert report(model, X[200:]).html.count("<img") == worst
    assert with_pictures.count("<img") == scores
    assert "<img" not in html


def test_rows_that_are_no_pictures_have_none():
    record = made_record()
    for X in (np.ones((60, 4)), np.full((60, 64), -1.0), np.ones((60, 65)), np.array([["a"] * 64] * 60)):
        assert "<img" not in report(record, X).html


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (8, 8, 1), (3, 8, 9), (8, 9, 3), (64,), (90, 40)])
def test_pictures_come_with_channels_first_or_last_or_in_rows(shape):
    X = np.random.default_rng(0).random((60, *shape))
    X[0] = np.nan if len(shape) > 1 else 0
    assert report(made_record(), X).html.count("<img") == 60 + 25


def test_samples_of_another_number_are_refused():
    with pytest.raises(ValueError, match="X has 5 samples, but the records have 60 \\(record\\)"):
        report(made_record(), np.ones((5, 64)))
    with pytest.raises(ValueError, match="Both records have 60 samples, so X may belong to either"):
        report(made_record(), np.ones((60, 64)), validation=made_record(seed=1))


def test_what_can_hold_no_record_is_refused(model):
    with pytest.raises(TypeError, match="Expected a Dynamics"):
        report(3)
    with pytest.raises(NotFittedError):
        report(DynamicsClassifier())
    with pytest.raises(ValueError, match="A model brings its own validation record"):
        report(model, validation=made_record())
    with pytest.raises(ValueError, match="the classes 0, 1, but the record has 0, 1, 2"):
        report(made_record(), validation=made_record(classes=(0, 1)))


def test_records_on_other_epochs_are_shown_by_themselves():
    record = made_record()
    html = report(record, validation=made_record(n_epochs=5, seed=1)).html
    assert "held-out samples" in Page(html).text("loss-curves-table").lower()
    assert "training samples" not in Page(html).text("loss-curves-table").lower()


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(model):
    page = report(model, title='The "best" <run>')
    ((frame, _),) = Page(page._repr_html_().replace("<iframe", "<iframe")).all("iframe")
    assert frame["srcdoc"] == page.html
    assert frame["title"] == 'The "best" <run>'
    assert repr(page).startswith("Report 'The \"best\" <run>', ")


def test_missing_jinja_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match="A report needs Jinja2: pip install"):
        report(made_record())


@pytest.mark.slow
def test_a_page_stays_small_however_large_the_record():
    record = made_record(n_samples=60_000, n_epochs=100, classes=tuple(range(10)))
    pictures = np.random.default_rng(0).integers(0, 255, (60_000, 3, 32, 32), dtype=np.uint8)
    html = report(record, pictures).html
    assert len(html.encode()) < 1_000_000
    assert html == report(record, pictures).html


def test_samples_that_were_not_seen_count_for_nothing():
    log = DynamicsLog([0, 1, 2, 0], sample_ids=["a", "b", "c", "d"])
    log.add(0, ["a", "b"], np.eye(3)[:2])
    log.add(2, ["c", "a"], np.eye(3)[[2, 1]])
    page = Page(report(log.dynamics()).html)
    assert "After epoch 2 the network is right on 50 % of 2 samples" in page.text("verdict")
    assert "at its best, at epoch 0, it was 100 %" in page.text("verdict")
    assert page.text("loss-curves-table").endswith("00.551 21.05")


def test_samples_are_called_by_their_names():
    record = dataclasses.replace(made_record(), sample_ids=[f"picture-{i}" for i in range(60)])
    assert "picture-59" in Page(report(record).html).text("worst-samples")


def test_findings_are_a_table_with_what_chance_gives(monkeypatch):
    found = (
        Finding("LT1", "The mean <loss> rises", "yes", value=0.02, interval=(0.014, 0.027), null=0.004),
        Finding("LT2", "A few carry it", "cannot tell", n_runs=3, advice="Record more samples."),
    )
    monkeypatch.setattr(LossTailAnalyzer, "_findings", lambda tails: found)
    page = Page(report(made_record()).html)
    cells = [text for _, text in page.all("td")]
    assert (
        page.text("findings-table-caption")
        == "Each claim, whether it holds in this record, and what it rests on"
    )
    assert "What holds: The mean <loss> rises (LT1);" in page.text("verdict")
    assert "A few carry it" not in page.text("verdict")
    at = cells.index("LT1")
    assert cells[at : at + 8] == [
        "LT1",
        "The mean <loss> rises",
        "yes",
        "0.02",
        "0.014 to 0.027",
        "0.004",
        "1",
        "",
    ]
    at = cells.index("LT2")
    assert cells[at : at + 8] == [
        "LT2", "A few carry it", "cannot tell", "–", "–", "–", "3", "Record more samples.",
    ]  # fmt: skip


BLIND = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "skorch"):
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, NoTorch())
from sklearn_nndyn.__main__ import main
code = main(sys.argv[1:])
assert "matplotlib.pyplot" not in sys.modules
sys.exit(code)
"""


def test_the_command_works_without_torch(tmp_path):
    made_record().save(tmp_path / "run.safetensors")
    command = ["report", tmp_path / "run.safetensors", "-o", tmp_path / "page.html", "--title", "A run"]
    command = [sys.executable, "-W", "error", "-c", BLIND, *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == report(made_record(), title="A run").html


def test_without_a_name_the_page_lies_beside_the_record(tmp_path):
    path = tmp_path / "run.safetensors"
    made_record().save(path)
    assert main(["report", str(path), "--validation", str(path)]) == 0
    assert (tmp_path / "run.html").exists()


def test_the_command_says_why_a_file_cannot_be_read(tmp_path, capsys):
    (tmp_path / "other.txt").write_text("no record")
    assert main(["report", str(tmp_path / "other.txt")]) == 1
    assert capsys.readouterr().err.startswith("sklearn_nndyn report: ")


@pytest.mark.parametrize("name", ["run.html", "run.safetensors"])
def test_the_command_never_writes_over_a_record(tmp_path, capsys, name):
    """By default the page is called as the record, but for its ending."""
    path = tmp_path / name
    made_record().save(path)
    before = path.read_bytes()
    assert main(["report", str(path), "-o", str(path)]) == main(
        ["report", str(path.rename(tmp_path / "a.html"))]
    )
    assert "is there and is no HTML page" in capsys.readouterr().err
    assert (tmp_path / "a.html").read_bytes() == before


def test_a_page_replaces_a_page_or_nothing(tmp_path):
    page, path = report(made_record()), tmp_path / "page.html"
    path.touch()
    page.save(path)
    page.save(str(path))
    assert path.read_text(encoding="utf-8") == page.html
    path.write_text("notes")
    with pytest.raises(FileExistsError, match=r"page\.html is there and is no HTML page"):
        page.save(path)
    assert path.read_text() == "notes"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        (
            "missing/page.html",
            FileNotFoundError,
            "missing is not a folder: make it before saving page.html there",
        ),
        ("pages/", IsADirectoryError, "names a folder: add the name of a file"),
        ("", FileNotFoundError, "The path is empty"),
        (b"page.html", TypeError, r"A path is a str or an os\.PathLike object, got bytes"),
    ],
)
def test_a_page_is_refused_a_place_that_is_none(tmp_path, monkeypatch, path, error, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        report(made_record()).save(path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_its_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"sklearn_nndyn {sklearn_nndyn.__version__}\n"


def test_a_title_is_text():
    with pytest.raises(TypeError, match="title must be a str, got 3"):
        report(made_record(), title=3)


@pytest.mark.parametrize(
    ("odd", "as_if"), [(np.nan, 0), (-np.inf, 0), (np.inf, 1)], ids=["nan", "-inf", "inf"]
)
def test_pixels_that_are_no_numbers_are_as_dark_or_bright_as_can_be(odd, as_if):
    pictures = np.random.default_rng(0).random((60, 8, 8))
    pictures[:, 0, :2] = 0, 1  # the range of the others
    pictures[:, 1, 1] = as_if
    plain = report(made_record(), pictures).html
    pictures[:, 1, 1] = odd
    assert report(made_record(), pictures).html == plain


def test_it_is_at_the_top_of_the_package():
    assert sklearn_nndyn.report is report
    assert "report" in sklearn_nndyn.__all__


def test_an_epoch_is_a_turn_only_where_the_rise_is_more_than_chance():
    unclear = made_record(n_samples=60, n_epochs=40, leave_out=("scores",))
    loss = unclear.loss.copy()
    loss[::3] += np.linspace(0, 3, 40, dtype=np.float32)
    risen = dataclasses.replace(unclear, loss=loss)
    for record, verdict, name in ((risen, "yes", "turn"), (unclear, "cannot tell", "least mean")):
        tails = LossTailAnalyzer().fit(record)
        assert tails.rise_verdict_ == verdict
        html = report(record).html
        assert html.count(f"{name}: epoch {tails.onset_epoch_}") >= 2
        told = Page(html).text("loss-tails")
        assert f"Rise of the loss since the {name}" in told
        assert f"Loss at the {name}" in told
        assert ("turn" in told) == (verdict == "yes")


def test_one_epoch_is_compared_with_no_other():
    verdict = Page(report(made_record(n_epochs=1)).html).text("verdict")
    assert "No other epoch is recorded." in verdict
    assert "never more" not in verdict


def test_what_is_nearly_all_is_not_called_all():
    record = made_record(n_samples=6000, leave_out=("scores",))
    verdict = Page(report(record).html).text("verdict")
    assert "right on 99.95 % of 6,000 samples" in verdict.replace("\u00a0", " ")


class Listed:
    """Has a length and places, as a Dataset has, and is no array."""

    def __len__(self):
        return 60

    def __getitem__(self, i):
        return np.ones(64), "label"


def test_samples_that_are_no_array_have_no_pictures():
    for X in (Listed(), {"ids": np.ones((60, 3)), "mask": np.ones((60, 3))}):
        assert "<img" not in report(made_record(), X).html
    with pytest.raises(ValueError, match="X has 5 samples, but the records have 60"):
        report(made_record(), {"ids": np.ones((5, 3))})
