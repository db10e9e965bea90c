"""The report as one HTML file that asks for nothing outside itself."""

from __future__ import annotations

from pathlib import Path

from comparisons.core.endings import CLASSES
from comparisons.core.labels import Ending, ending, false_success, long_name, number, where
from comparisons.core.runs import Run
from comparisons.plots import catalogue as pictures
from comparisons.report import figures
from comparisons.report.contents import Contents
from comparisons.report.document import page_environment
from comparisons.report.grid import MARKS, shades
from comparisons.report.markdown import markdown, point
from comparisons.running.scipy_check import Agreement

_TALLEST = 60  # rows of the overview as a picture
_AT_LOWEST = (Ending.LOWEST, Ending.CLOSE)


def write_report(found: Contents, folder: Path) -> Path:
    """Write ``report.html``, ``report.md`` and ``figures/`` into the folder, which is made if needed.

    Parameters
    ----------
    found : Contents
    folder : Path

    Returns
    -------
    Path
        Of ``report.html``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if found.drawn:
        _save_figures(found, folder / "figures")
    path = folder / "report.html"
    path.write_text(html(found), encoding="utf-8")
    (folder / "report.md").write_text(markdown(found), encoding="utf-8")
    return path


def html(found: Contents) -> str:
    """The page."""
    environment = page_environment()
    names = [entry.method for entry in found.methods]
    environment.filters |= {"number": number, "long_name": long_name, "where": where, "point": point}
    return environment.get_template("report.html.j2").render(
        report=found,
        classes=CLASSES,
        agreements=list(Agreement),
        marks=list(MARKS.values()),
        shades=shades(),
        names=names,
        colours={name: pictures.style(name).colour for name in names},
        place={name: place for place, name in enumerate(names)},
        many=len(found.sections) > figures.MOST,
        most=figures.MOST,
        false_success=false_success,
        look=_look,
        number_of=lambda run: found.numbers[id(run)],
    )


def _look(run: Run) -> str:
    """How its ending is coloured."""
    return "bad" if false_success(run) else "good" if ending(run) in _AT_LOWEST else "soft"


def _save_figures(found: Contents, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for picture in (*found.plates, *(picture for section in found.sections for picture in section.pictures)):
        (folder / f"{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
    if len(found.grid) <= _TALLEST:
        pictures.save(pictures.overview(found.runs), folder / "overview.png")
