"""Scan: what a survey of a checkout means for its first constitution and settings (docs/guides/scan.md). Pure."""

import fnmatch
import re
from typing import Final, NamedTuple

from exo_sidecar.domain import languages
from exo_sidecar.domain.languages import Language, Offer
from exo_sidecar.model.rule import FilesystemDeny, Rule
from exo_sidecar.model.survey import Survey

_IN_FOLDER: Final = 0.5
"""What a marker counts that lies in a folder: a part of a repository is less than the whole."""
SENSITIVE_MAX: Final = 50
"""Files that a report names."""


class Spoken(NamedTuple):
    """A language that the checkout shows."""

    name: str
    confidence: float
    """Of its markers the part that was found."""
    markers: tuple[str, ...]


class Proposal(NamedTuple):
    """What the first constitution and settings hold beside what they always do."""

    rules: tuple[Rule, ...] = ()
    checks: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    files_max: int | None = None
    lines_max: int | None = None
    ignore: tuple[str, ...] = ()


class Scanned(NamedTuple):
    """What was found, the most telling language first."""

    languages: tuple[Spoken, ...]
    sensitive: tuple[str, ...]
    source_folders: tuple[str, ...]
    build_folders: tuple[str, ...]
    ci: tuple[str, ...]
    archive: str | None
    proposal: Proposal


NOTHING: Final = Proposal()


def worth_asking(survey: Survey) -> tuple[str, ...]:
    """Return the interpreters that are to be asked for a module: where there is no test, none is."""
    names = {each.name for each in _spoken(survey)}
    wanted = [offer for offer in languages.OFFERS if ":" in offer.program and offer.language in names]
    asked = (offer.program.partition(":")[0] for offer in wanted if _has_work(survey, offer))
    return tuple(name for name in asked if name in survey.programs)


def scan(survey: Survey) -> Scanned:
    """Return what follows from the facts."""
    spoken = tuple(sorted(_spoken(survey), key=lambda each: (-each.confidence, each.name)))
    sensitive = tuple(path for path in sorted((*survey.files, *survey.ignored)) if _patterns(path))
    archive = languages.ARCHIVE if languages.ARCHIVE in survey.folders else None
    sources = tuple(name for name in languages.SOURCE_FOLDERS if _holds(survey, name))
    builds = tuple(name for name in languages.BUILD_FOLDERS if name in survey.folders and not _holds(survey, name))
    names = tuple(each.name for each in spoken)
    primary = next((each for each in languages.LANGUAGES if names and each.name == names[0]), None)
    return Scanned(
        languages=spoken,
        sensitive=sensitive,
        source_folders=sources,
        build_folders=builds,
        ci=tuple(name for name, form in languages.CI.items() if any(re.match(form, path) for path in survey.files)),
        archive=archive,
        proposal=Proposal(
            rules=_rules(sources, sensitive, archive),
            checks=_offered(survey, names, languages.OFFERS),
            builds=_offered(survey, names, languages.BUILDS),
            files_max=primary.files_max if primary else None,
            lines_max=primary.lines_max if primary else None,
            ignore=(*(f"{name}/**" for name in builds), *((f"{archive}/**",) if archive else ())),
        ),
    )


def _spoken(survey: Survey) -> list[Spoken]:
    names: dict[str, set[bool]] = {}
    for path in survey.files:
        folder, _, name = path.rpartition("/")
        names.setdefault(name, set()).add(not folder)
    found = [(language, _markers(language, names)) for language in languages.LANGUAGES]
    return [
        Spoken(language.name, round(sum(markers.values()) / len(language.markers), 2), tuple(markers))
        for language, markers in found
        if markers
    ]


def _markers(language: Language, names: dict[str, set[bool]]) -> dict[str, float]:
    """Return the markers that were found, and what each counts."""
    return {name: 1 if True in names[name] else _IN_FOLDER for name in language.markers if name in names}


def _patterns(path: str) -> tuple[str, ...]:
    name = path.rpartition("/")[2]
    return tuple(pattern for pattern in languages.SENSITIVE if fnmatch.fnmatchcase(name, pattern))


def _holds(survey: Survey, folder: str) -> bool:
    return any(path.startswith(f"{folder}/") for path in survey.files)


def _rules(sources: tuple[str, ...], sensitive: tuple[str, ...], archive: str | None) -> tuple[Rule, ...]:
    """Return the rules that follow: whole patterns rather than files, so that the next key is covered, too."""
    found: list[Rule] = []
    if sensitive:
        patterns = tuple(dict.fromkeys(f"**/{pattern}" for path in sensitive for pattern in _patterns(path)))
        message = "Keys and passwords are no part of the work."
        found.append(FilesystemDeny(id="SEC-002", patterns=patterns, actions=("read", "write"), message=message))
    if sources:
        folders = tuple(f"{name}/**" for name in sources)
        message = "Source files are deleted by people: ask one of them."
        rule = FilesystemDeny(id="DEL-001", patterns=folders, actions=("delete",), actors=("agent",), message=message)
        found.append(rule)
    if archive:
        message = "What was put away stays as it is."
        patterns = (f"{archive}/**",)
        found.append(FilesystemDeny(id="ARC-001", patterns=patterns, actions=("write", "delete"), message=message))
    return tuple(found)


def _offered(survey: Survey, names: tuple[str, ...], offers: tuple[Offer, ...]) -> tuple[str, ...]:
    fitting = [offer for offer in offers if offer.language in names and _runs(survey, offer)]
    commands = [offer.command for offer in sorted(fitting, key=lambda offer: names.index(offer.language))]
    for first, second in languages.SAME:
        if first in commands and second in commands:
            commands.remove(second)
    return tuple(commands)


def _runs(survey: Survey, offer: Offer) -> bool:
    """Whether the program is here, and there is something for it to do."""
    return offer.program in survey.programs and _has_work(survey, offer)


def _has_work(survey: Survey, offer: Offer) -> bool:
    match offer.needs.partition(":"):
        case ("script", _, name):
            return name in survey.scripts
        case ("tests", _, _) if offer.language == "rust":
            return survey.has_rust_tests
        case ("tests", _, _):
            return any(re.search(form, path) for form in languages.TESTS[offer.language] for path in survey.files)
        case ("specs", _, _):
            return any(re.search(languages.SPECS, path) for path in survey.files)
        case ("sources", _, _):
            return any(path.endswith(languages.SOURCES[offer.language]) for path in survey.files)
        case (file, _, _):
            return file in survey.files
