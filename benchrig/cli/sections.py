"""The section of docs/troubleshooting.md about an error, found by the messages that the page itself shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchrig import reading


def anchor(page: Path, chapter: str, message: str) -> str:
    """Return the anchor of the section that shows a message, within a chapter such as `hosts`; else the chapter's own."""
    try:
        sections = [(section, text) for of, section, text in _shown(reading.text(page)) if of == chapter]
    except reading.ReadError:
        return chapter
    fitting = [(len(text), section) for section, text in sections if re.search(_pattern(text), message, re.DOTALL)]
    return max(fitting)[1] if fitting else chapter


def _shown(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each message that the page shows, with the anchors of its chapter and its section."""
    chapter = section = ""
    seen: Counter[str] = Counter()
    for line in text.split("\n"):
        if heading := re.match(r"(##+) (.+)", line):
            name = re.sub(r"[^\w -]", "", heading[2].lower()).replace(" ", "-")
            # Of two headings alike, the second has a number in its anchor.
            section = f"{name}-{seen[name]}" if seen[name] else name
            seen[name] += 1
            chapter = section if heading[1] == "##" else chapter
        elif message := re.match(r" {4}(\S.*)|\| (.+?) \|", line):
            yield chapter, section, message[1] or message[2]


def _pattern(shown: str) -> str:
    """Return what a message matches that is shown with `…` for what is filled in; nothing matches one without words."""
    parts = [part for part in shown.split("…") if part.strip(" :;,.")]
    return ".*".join(map(re.escape, parts)) if parts else r"(?!)"
