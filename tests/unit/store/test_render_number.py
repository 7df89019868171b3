"""The render number: raised with every change of a computed byte and every new type, which a digest of both holds.

`PYTEST_GOLDEN=update` writes number and digest anew.
"""

import json
import os
from pathlib import Path
from typing import Final

import msgspec

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model import event
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.reflection import ReflectionRecord
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import Ticket, TicketRecord, Version
from exo_sidecar.store import fold_document, layout, learnings, memento, rendered
from tests.support.filled import filled

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "render.json"
WHAT_TO_DO: Final = (
    "computed bytes or types of events have changed: raise RENDER_NUMBER in exo_sidecar/store/layout.py by one"
    " (not twice between two releases), then: PYTEST_GOLDEN=update pytest tests/unit/store/test_render_number.py"
)
TEXTS: Final = ("a: 1\n# of b\nb:\n  - 2\n", "b: 3\nc: 4")


def corpus() -> dict[str, str]:
    """Return what is computed of records in which everything is filled, and every type of event."""
    ticket = filled(Ticket)
    other = msgspec.structs.replace(filled(Version), value="other")
    names = ("title", "status", "scope_allow")
    shown = {name: (msgspec.structs.replace(other, event=name),) for name in names}
    record = msgspec.structs.replace(filled(TicketRecord), ticket=ticket, conflicts=shown)
    authority = filled(Authority)
    return {
        "types": "\n".join(f"{name} {data.__name__}" for name, data in sorted(event.TYPES.items())),
        "ticket": rendered.ticket_file(record).decode(),
        "memento": memento.render(filled(SessionRecord)),
        "learnings": learnings.render((filled(ReflectionRecord),), 2),
        "format": layout.format_text(authority).decode().replace(f"render {layout.RENDER_NUMBER}\n", "render\n"),
        "prescribed": "".join(f"{name}: {text.decode()}" for name, text in sorted(layout.PRESCRIBED.items())),
        "documents": "\n".join(DOCUMENTS),
        "units": repr([fold_document.split("config.yaml", text) for text in TEXTS]),
    }


def test_the_number_rises_with_computed_bytes_and_types_of_events() -> None:
    parts = {name: sha256_hex(text.encode()) for name, text in corpus().items()}
    found = {"number": layout.RENDER_NUMBER, "parts": parts}
    if os.environ.get("PYTEST_GOLDEN") == "update":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n")
    stored = json.loads(GOLDEN.read_text())
    differing = sorted(name for name in {*parts, *stored["parts"]} if parts.get(name) != stored["parts"].get(name))
    assert not differing or stored["number"] != layout.RENDER_NUMBER, f"{', '.join(differing)}: {WHAT_TO_DO}"
    assert found == stored, WHAT_TO_DO


def test_the_corpus_shows_every_part_of_what_is_computed() -> None:
    found = corpus()
    assert "# conflict: title is also" in found["ticket"]
    shown = {line.split(":")[0] for line in found["ticket"].splitlines()}
    assert shown.issuperset(Ticket.__struct_fields__)
    assert found["memento"].count("\n## ") > 5
    assert "authority" in found["format"]
