"""Languages: by what a checkout shows them, and which checks and limits fit each (docs/guides/scan.md). A table."""

from typing import Final, NamedTuple


class Language(NamedTuple):
    """One language."""

    name: str
    markers: tuple[str, ...]
    """Files that show it, by their name."""
    files_max: int
    lines_max: int
    """What a ticket may change."""


class Offer(NamedTuple):
    """A check that fits a language, and what has to be there for it."""

    language: str
    command: str
    program: str
    needs: str
    """What there must be to run: `tests`, a marker file, or a script of package.json as `script:NAME`."""


LANGUAGES: Final = (
    Language("go", ("go.mod", "go.sum"), 12, 400),
    Language("java", ("pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle"), 15, 500),
    Language("node", ("package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"), 20, 600),
    Language("python", ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "requirements.txt"), 15, 500),
    Language("ruby", ("Gemfile", "Gemfile.lock", ".ruby-version"), 15, 500),
    Language("rust", ("Cargo.toml", "Cargo.lock"), 12, 400),
)
OFFERS: Final = (
    Offer("python", "python -m pytest", "python:pytest", "tests"),
    Offer("python", "python3 -m pytest", "python3:pytest", "tests"),
    Offer("node", "npm test", "npm", "script:test"),
    Offer("node", "npm run lint", "npm", "script:lint"),
    Offer("go", "go test ./...", "go", "tests"),
    Offer("go", "go vet ./...", "go", "sources"),
    Offer("rust", "cargo test", "cargo", "tests"),
    Offer("rust", "cargo clippy", "cargo-clippy", "sources"),
    Offer("java", "./gradlew test", "sh", "gradlew"),
    Offer("java", "mvn test", "mvn", "pom.xml"),
    Offer("ruby", "rspec", "rspec", "specs"),
    Offer("ruby", "rake test", "rake", "tests"),
)
"""Those of a language in the order of preference; of two that do the same the first that can be run."""
BUILDS: Final = (
    Offer("node", "npm run build", "npm", "script:build"),
    Offer("go", "go build ./...", "go", "sources"),
    Offer("rust", "cargo build", "cargo", "sources"),
    Offer("java", "./gradlew build", "sh", "gradlew"),
    Offer("java", "mvn package", "mvn", "pom.xml"),
)
SAME: Final = (("python -m pytest", "python3 -m pytest"), ("./gradlew test", "mvn test"), ("rspec", "rake test"))
PROGRAMS: Final = ("cargo", "cargo-clippy", "go", "mvn", "npm", "python", "python3", "rake", "rspec", "sh")
"""Whose presence is a fact worth asking for."""
TESTS: Final = {
    "python": (r"(^|/)(test_[^/]*|[^/]*_test)\.py\Z",),
    "go": (r"_test\.go\Z",),
    "ruby": (r"(^|/)test/.*\.rb\Z",),
    "java": (r"(^|/)src/test/",),
}
"""Paths of tests, where paths show them."""
SPECS: Final = r"(^|/)spec/.*_spec\.rb\Z"
SOURCES: Final = {"go": ".go", "rust": ".rs"}
SENSITIVE: Final = (
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.keystore",
    "credentials*",
    ".npmrc",
    ".pypirc",
    "serviceAccountKey*.json",
)
"""File names that keys and passwords are found in."""
SOURCE_FOLDERS: Final = ("src", "lib", "app", "cmd", "pkg", "internal", "apps", "packages", "modules")
BUILD_FOLDERS: Final = (".cache", ".gradle", ".next", ".tox", ".venv", "build", "dist", "node_modules", "out", "target")
ARCHIVE: Final = "archive"
CI: Final = {
    "GitHub Actions": r"\.github/workflows/[^/]+\.ya?ml\Z",
    "GitLab CI": r"\.gitlab-ci\.ya?ml\Z",
    "Jenkins": r"Jenkinsfile\Z",
    "CircleCI": r"\.circleci/config\.ya?ml\Z",
    "Azure Pipelines": r"azure-pipelines\.ya?ml\Z",
    "Travis CI": r"\.travis\.ya?ml\Z",
    "Bitbucket Pipelines": r"bitbucket-pipelines\.ya?ml\Z",
}
