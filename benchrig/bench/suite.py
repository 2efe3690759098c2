"""Suites: files in `configs/suites/` with rows (what to measure) and profiles (how long and how often)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig import yamlfile
from benchrig.agent.text import short
from benchrig.bench.app import App
from benchrig.bench.generators.base import LoadGenerator, Shape
from benchrig.bench.generators.registry import DEFAULT, GENERATORS
from benchrig.bench.rows import MatrixFile, Row, RowFile, names_of, read_rows
from benchrig.bench.selection import chosen
from benchrig.bench.until import AT_MOST, Until
from benchrig.bench.until import read as read_until
from benchrig.errors import InputError, unknown
from benchrig.mistakes import Mistakes, check_title
from benchrig.statistics.interval import ENOUGH_REPEATS, LEAST_REPEATS
from benchrig.units import about

MOST_CELLS = 100_000
"""Of a run on one server: at 10 s each, they take eleven days."""

LARGEST_COUNT = 1_000_000
"""Of connections, threads and repeats: more is a slip of the finger, and no machine makes that load."""

LARGEST_SEED = 10**9
"""Of an order of rows."""

OVERHEAD_SECONDS = 1.5
"""Time of a cell beside warm-up and load: to start, verify and stop the app. An estimate, until cells were measured."""

LONGEST_NAME = 100
"""Characters of a suite's name: the folders of its runs are named for it."""

LONGEST_SECONDS = 7 * 86_400
"""Of a measurement: more is a slip of the finger."""


@dataclass(frozen=True)
class ProfileFile:
    """A profile as it is written; durations in whole seconds or minutes, `5s` or `1m`."""

    duration: str
    warm_up: str = "1s"
    timeout: str = ""
    """Replies slower than this count as errors; empty leaves the load generator its own default."""
    threads: int = 4
    repeats: int = 1
    generator: str = DEFAULT.name


@dataclass(frozen=True)
class SuiteFile:
    """A suite as it is written."""

    title: str
    profiles: dict[str, ProfileFile]
    rows: tuple[RowFile, ...] = ()
    matrix: MatrixFile | None = None
    published: str = ""
    """Published figures to set beside the measured ones: a file in `configs/published/`."""
    expect: tuple[str, ...] = ()
    """Expressions in the language of claims that must hold of each run: `./inv gate` judges them."""


@dataclass(frozen=True)
class Expected:
    """An expression that must hold of a run."""

    text: str
    where: str
    """Its `file:line`."""


@dataclass(frozen=True)
class BenchRequest:
    """The user's choices; an empty or None one comes from the suite and its profile."""

    suite: str = "web-frameworks"
    profile: str = "quick"
    only: tuple[str, ...] = ()
    """Names or shell patterns of rows, apps and routes; with `!` in front, they exclude."""
    duration: str = ""
    connections: int | None = None
    threads: int | None = None
    repeats: int | None = None
    pin: bool = False
    """Keep server, database and load generator on CPUs of their own."""
    seed: int | None = None
    """The order of the rows in each round is drawn from it."""
    until: str = ""
    """Add rounds until each row's interval is so narrow, such as `2%`; `repeats` is the least number of rounds then."""
    at_most: str = ""
    """With `until`: how long measuring may take."""


@dataclass(frozen=True)
class Plan:
    """The plan of a bench: every row to measure, and how."""

    suite: str
    title: str
    published: str
    profile: str
    rows: tuple[Row, ...]
    generator: LoadGenerator
    duration_seconds: float
    warm_up_seconds: float
    timeout_seconds: float | None
    """None leaves the load generator its own."""
    threads: int
    repeats: int
    connections: int | None = None
    """Of every row, where the user chose it."""
    seed: int | None = None
    """The order of the rows in each round is drawn from it; None: each round is in the order of the suite."""
    until: Until | None = None
    """Rounds are added until it is reached; `repeats` is the least number of rounds then. None: there are `repeats`."""
    pin: bool = False
    kept: bool = True
    """Whether the run stays in `reports/`, so that messages may name its files."""
    expect: tuple[Expected, ...] = ()
    all_rows: tuple[str, ...] = ()
    """The names of all rows of the suite, also of those that were not chosen: expressions may name them."""

    @property
    def effective_timeout(self) -> float:
        """The timeout in seconds that holds, whoever sets it."""
        return self.generator.default_timeout_seconds if self.timeout_seconds is None else self.timeout_seconds

    @property
    def cell_seconds(self) -> float:
        """The estimated time of a cell."""
        return self.warm_up_seconds + self.duration_seconds + OVERHEAD_SECONDS

    def shape(self, row: Row) -> Shape:
        """Return the load that a row gets."""
        return Shape(self.threads, row.connections, self.duration_seconds, self.timeout_seconds)

    @property
    def apps(self) -> tuple[App, ...]:
        """Every app that is measured, each once."""
        return tuple({row.app.name: row.app for row in self.rows}.values())


def plan(root: Path, apps: Mapping[str, App], request: BenchRequest) -> Plan:
    """Return the plan of a bench, from its suite and the user's choices. Only the apps that its rows name are read.

    Raises InputError: an unknown suite, profile or row; every mistake in the file with its line; a value out of range.
    """
    document = _read(root, request.suite)
    mistakes = Mistakes()
    suite = document.build_with(SuiteFile, mistakes)
    _check(mistakes, document, suite, root)
    rows = read_rows(mistakes, document, suite.rows, suite.matrix, apps)
    mistakes.raise_all()
    if request.profile not in suite.profiles:
        raise unknown("profile", request.profile, suite.profiles)
    profile = _overridden(suite.profiles[request.profile], request)
    rows_chosen = chosen([replace(row, connections=request.connections or row.connections) for row in rows], request.only)
    generator = GENERATORS[profile.generator]
    planned = Plan(
        suite=request.suite,
        title=suite.title,
        published=suite.published,
        profile=request.profile,
        rows=rows_chosen,
        generator=generator,
        duration_seconds=yamlfile.seconds(profile.duration),
        warm_up_seconds=yamlfile.seconds(profile.warm_up),
        timeout_seconds=yamlfile.seconds(profile.timeout) if profile.timeout else None,
        threads=profile.threads,
        repeats=profile.repeats,
        connections=request.connections,
        seed=request.seed,
        until=read_until(request.until, request.at_most),
        pin=request.pin,
        expect=tuple(Expected(text, document.where(("expect", index))) for index, text in enumerate(suite.expect)),
        all_rows=tuple(row.name for row in rows),
    )
    _check_size(planned)
    _check_time(planned, request.at_most)
    _check_shapes(planned)
    _check_capabilities(generator, rows_chosen)
    return planned


def profile_with(root: Path, suite: str, timeout_seconds: float) -> str:
    """Return the first profile of a suite with this timeout; empty where it has none, or the suite cannot be read."""
    try:
        profiles = _read(root, suite).build(SuiteFile).profiles
        return next((name for name, profile in profiles.items() if _timeout(profile) == timeout_seconds), "")
    except (InputError, ValueError):
        return ""


def row_names(root: Path, suite: str) -> tuple[str, ...]:
    """Return the names of a suite's rows; none where it cannot be read."""
    try:
        found = _read(root, suite).build(SuiteFile)
    except InputError:
        return ()
    return names_of(found.rows, found.matrix)


def suites_with(root: Path, published: Collection[str]) -> tuple[str, ...]:
    """Return the suites that are compared with one of these published figures; one that cannot be read is left out."""
    found = []
    for path in sorted((root / "configs" / "suites").glob("*.yml")):
        with suppress(InputError):
            if _read(root, path.stem).build(SuiteFile).published in published:
                found.append(path.stem)
    return tuple(found)


def _timeout(profile: ProfileFile) -> float | None:
    """Return the timeout that holds under a profile, in seconds; None where its load generator is unknown.

    Raises ValueError when its text is no duration.
    """
    if profile.timeout:
        return yamlfile.seconds(profile.timeout)
    return GENERATORS[profile.generator].default_timeout_seconds if profile.generator in GENERATORS else None


def _read(root: Path, name: str) -> yamlfile.Document:
    folder = root / "configs" / "suites"
    known = {file.stem for file in folder.glob("*.yml")}
    if name not in known:
        raise unknown("suite", name, known)
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"'{short(name)}' cannot name a suite: it has printable characters, at most {LONGEST_NAME}")
    return yamlfile.read(folder / f"{name}.yml")


def _check(mistakes: Mistakes, document: yamlfile.Document, suite: SuiteFile, root: Path) -> None:
    wrong_types = bool(mistakes)
    known = [file.stem for file in (root / "configs" / "published").glob("*.yml")]
    if suite.published and suite.published not in known:
        mistakes.add(document.where(("published",)), str(unknown("published figures", suite.published, known)))
    check_title(mistakes, document.where(("title",)), suite.title)
    if not (suite.rows or suite.matrix) and not wrong_types:
        mistakes.add(document.where(("rows",)), "a suite needs at least one row, in 'rows' or by a 'matrix'")
    if not suite.profiles and not wrong_types:
        mistakes.add(document.where(("profiles",)), "a suite needs at least one of its 'profiles'")
    if isinstance(document.data.get("expect"), str):
        # As a text, it would end at the first comma, as in max(a, b).
        mistakes.add(document.where(("expect",)), "'expect' is a list: write each expression behind a dash")
    for name, profile in suite.profiles.items():
        _check_profile(mistakes, document, ("profiles", name), profile)


def _check_profile(mistakes: Mistakes, document: yamlfile.Document, where: tuple[str, str], profile: ProfileFile) -> None:
    for key in ("duration", "warm_up", "timeout"):
        text = getattr(profile, key)
        if text or key != "timeout":
            _check_duration(mistakes, document.where((*where, key)), text)
    for key in ("threads", "repeats"):
        if getattr(profile, key) < 1:
            mistakes.add(document.where((*where, key)), f"'{key}' must be at least 1")
        if getattr(profile, key) > LARGEST_COUNT:
            mistakes.add(document.where((*where, key)), f"'{key}' must be at most {LARGEST_COUNT:,}")
    if profile.generator not in GENERATORS:
        mistakes.add(document.where((*where, "generator")), str(unknown("load generator", profile.generator, GENERATORS)))


def _check_size(planned: Plan) -> None:
    """Raise InputError for a run that never ends."""
    rows, cells = len(planned.rows), len(planned.rows) * planned.repeats
    if cells > MOST_CELLS:
        raise InputError(
            f"{planned.repeats:,} repeats of {rows:,} rows are {cells:,} cells; a run has at most {MOST_CELLS:,}"
        )


def _check_time(planned: Plan, at_most: str) -> None:
    """Raise InputError when even the least number of rounds on one server takes longer than measuring may."""
    seconds = planned.repeats * len(planned.rows) * planned.cell_seconds
    if planned.until and seconds > planned.until.at_most_seconds:
        rounds = f"{planned.repeats} rounds of {len(planned.rows)} row{'' if len(planned.rows) == 1 else 's'}"
        raise InputError(
            f"--at-most {at_most or AT_MOST} is too short: {rounds} take about {about(seconds)}",
            "Give it more time, or choose fewer rows with --only or a shorter --duration.",
        )


def _check_duration(mistakes: Mistakes, where: str, text: str) -> None:
    try:
        _whole_seconds(text)
    except ValueError as error:
        mistakes.add(where, str(error))


def _whole_seconds(text: str) -> float:
    """Read a duration that a load generator can take. Raises ValueError for any other."""
    try:
        seconds = yamlfile.seconds(text)
    except ValueError:
        seconds = 0.0
    if wrong := wrong_seconds(seconds):
        raise ValueError(f"'{short(text)}' is {wrong}; write for example 5s or 1m")
    return seconds


def wrong_seconds(seconds: float) -> str:
    """Return why a load generator does not take a duration; empty when it does."""
    if seconds < 1 or seconds % 1:
        return "not a whole number of seconds, at least 1"
    return "longer than a week" if seconds > LONGEST_SECONDS else ""


def _overridden(profile: ProfileFile, request: BenchRequest) -> ProfileFile:
    """Return the profile with what the user asks for instead. Raises InputError for a value out of range."""
    for name in ("connections", "threads", "repeats"):
        value = getattr(request, name)
        if value is not None and value < 1:
            raise InputError(f"--{name}: {value} is not at least 1")
        if value is not None and value > LARGEST_COUNT:
            raise InputError(f"--{name}: {value} is more than {LARGEST_COUNT:,}")
    if request.seed is not None and request.seed > LARGEST_SEED:
        raise InputError(f"--seed: {request.seed} is more than {LARGEST_SEED:,}")
    if request.duration:
        try:
            _whole_seconds(request.duration)
        except ValueError as error:
            raise InputError(f"--duration: {error}") from None
    return replace(
        profile,
        duration=request.duration or profile.duration,
        threads=request.threads or profile.threads,
        repeats=_repeats(profile, request),
    )


def _repeats(profile: ProfileFile, request: BenchRequest) -> int:
    """Return the number of rounds; the least number where rounds are added: enough for an interval of each row."""
    if not request.until:
        return request.repeats or profile.repeats
    return max(request.repeats or max(profile.repeats, ENOUGH_REPEATS), LEAST_REPEATS)


def _check_shapes(planned: Plan) -> None:
    """Raise InputError when the load generator cannot make the load of a row."""
    for row in planned.rows:
        if wrong := planned.generator.check_shape(planned.shape(row)):
            raise InputError(f"'{row.name}': {wrong}")


def _check_capabilities(generator: LoadGenerator, rows: Sequence[Row]) -> None:
    """Raise InputError when rows need what the load generator cannot do, or have a script that it cannot load."""
    can = generator.capabilities
    lacking = [
        f"'{row.name}': the load generator {generator.name} {wrong}"
        for row in rows
        for is_needed, is_there, wrong in (
            (row.traffic.is_mix, can.mixes, "cannot send a mix of routes"),
            (row.traffic.is_steps, can.steps, "cannot send routes as steps"),
            (any(route.capture for route in row.traffic.routes), can.captures, "cannot capture parts of a reply"),
            (row.traffic.script, can.check_script, "takes no script"),
            (any(route.method == "HEAD" for route in row.traffic.routes), can.heads, "waits for a body after HEAD"),
        )
        if is_needed and not is_there
    ]
    scripts = dict.fromkeys(row.traffic.script for row in rows if row.traffic.script)
    wrong = [can.check_script(script) for script in scripts] if can.check_script else []
    if problems := [*lacking, *filter(None, wrong)]:
        raise InputError("\n".join(problems))
