"""The experiments: the frame they share, and what each of them must show."""

import base64
import re

import pytest
from matplotlib.figure import Figure
from rich.console import Console

from comparisons import experiments
from comparisons.drawing import save
from comparisons.experiments import Picture, Report, Table


def small_report(folder):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    (folder / "figures").mkdir()
    picture = Picture(save(figure, folder / "figures" / "line.png"), "a line", "It rises from f* to 1.")
    return Report(
        "A <small> report",
        ["f* here, f* there & nowhere"],
        [Table("Costs", ["method", "cost"], [["a|b", "3"]])],
        [picture],
    )


class TestFrame:
    def test_every_experiment_has_a_module_and_a_summary(self):
        for name in experiments.names():
            assert experiments.summary(name)
            assert isinstance(experiments.options(name), list)

    def test_a_misspelt_experiment_or_option_is_named_with_the_nearest(self, tmp_path):
        with pytest.raises(ValueError, match="unknown experiment 'bowll'; did you mean 'bowl'"):
            experiments.run("bowll", tmp_path)
        with pytest.raises(ValueError, match="experiment bowl has no option 'raet'"):
            experiments.run("bowl", tmp_path, raet=3)

    def test_the_page_is_one_file_that_holds_its_pictures_and_escapes_what_it_says(self, tmp_path):
        page = small_report(tmp_path).write(tmp_path).read_text(encoding="utf-8")
        assert "A &lt;small&gt; report" in page
        (source,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
        assert base64.b64decode(source) == (tmp_path / "figures" / "line.png").read_bytes()
        assert not re.findall(r'(?:src|href)="(?!data:)', page)

    def test_the_markdown_links_to_its_pictures_beside_it_and_stars_are_stars(self, tmp_path):
        small_report(tmp_path).write(tmp_path)
        text = (tmp_path / "report.md").read_text(encoding="utf-8")
        assert "![a line](figures/line.png)" in text
        assert r"f\* here, f\* there & nowhere" in text
        assert "| a\\|b | 3 |" in text

    def test_a_film_is_played_and_not_shown_as_an_image(self, tmp_path):
        (tmp_path / "race.mp4").write_bytes(b"film")
        report = Report("Races", [], [], [Picture(tmp_path / "race.mp4", "a race", "Who wins.")])
        assert '<video src="data:video/mp4;base64,' in report.write(tmp_path).read_text(encoding="utf-8")
        assert "\n[a race](race.mp4)" in report.markdown(tmp_path)

    def test_a_terminal_shows_words_tables_and_where_the_pictures_are(self, tmp_path):
        console = Console(width=160)
        with console.capture() as capture:
            small_report(tmp_path).show(console)
        shown = capture.get()
        assert "f* here" in shown
        assert "line.png" in shown
        assert "Costs" in shown

    def test_a_row_that_does_not_fit_its_headings_is_refused(self):
        with pytest.raises(ValueError, match="rows must have 2 entries"):
            Table("Costs", ["method", "cost"], [["bfgs"]])

    def test_a_picture_is_a_file_a_browser_can_show(self, tmp_path):
        with pytest.raises(ValueError, match="path must end in"):
            Picture(tmp_path / "figure.pdf", "", "")
