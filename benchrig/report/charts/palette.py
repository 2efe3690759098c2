"""Colours of drawings, for light and dark ground: what the variables of `charts.css` stand for."""

from __future__ import annotations

from collections.abc import Mapping

SERIES = 8
"""So many series differ by colour, and by the shape and the dashes of their marks. A further one looks like the first."""

_PAGE: Mapping[str, tuple[str, str]] = {
    "ground": ("#fff", "#16181c"),
    "ink": ("#1c1e21", "#e6e8eb"),
    "faint": ("#5c6370", "#a0a8b4"),
    "line": ("#d8dbe0", "#383e47"),
    "mark": ("#1f5fbf", "#7fb2ff"),
    "good": ("#116b34", "#7ddc9f"),
    "bad": ("#a3161d", "#ff9a9a"),
    "doubtful": ("#7a4b00", "#f3c26b"),
    "untested": ("#4c5463", "#b9c0cb"),
}
"""Light and dark: the same as in `page.css`, for drawings that are files of their own."""

_SERIES: Mapping[str, tuple[str, str]] = {
    "series-1": ("#1f5fbf", "#7fb2ff"),
    "series-2": ("#b8430b", "#ff9a57"),
    "series-3": ("#1f9b70", "#1bffb4"),
    "series-4": ("#bc6bb4", "#b649fe"),
    "series-5": ("#79311e", "#f4e819"),
    "series-6": ("#922ff9", "#97673c"),
    "series-7": ("#4e4769", "#7b62a3"),
    "series-8": ("#f40157", "#278076"),
}
"""Found by a search for colours that are far apart also for the colour-blind; a test has the distances."""

LIGHT: Mapping[str, str] = {name: light for name, (light, _) in {**_PAGE, **_SERIES}.items()}
DARK: Mapping[str, str] = {name: dark for name, (_, dark) in {**_PAGE, **_SERIES}.items()}


def rules_of_series() -> str:
    """Return the rules that set the variables of the series, which `page.css` does not have, in both schemes."""
    light, dark = (_set({name: colours[scheme] for name, colours in _SERIES.items()}) for scheme in (0, 1))
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _set(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
