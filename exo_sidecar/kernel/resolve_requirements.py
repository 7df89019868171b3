"""Are the requirements there that something names? (docs/kernel.md)."""

from collections.abc import Sequence

from exo_sidecar.model.manifest import Requirements, Resolution


def resolve_requirements(manifest: Requirements, named: Sequence[str]) -> Resolution:
    """Return which of the ids that are named stand in the manifest, are missing, or were taken out of the product.

    An id is a requirement's or that of something that shows it is met; what a deleted requirement names is deleted with
    it. Each id is told once, in the order in which it was named; a deprecated requirement is one that is there.
    """
    deleted: dict[str, bool] = {}
    for requirement in manifest.requirements:
        for each in (requirement.id, *requirement.acceptance):
            deleted[each] = deleted.get(each, True) and requirement.status == "deleted"
    wanted = dict.fromkeys(named)
    return Resolution(
        found=tuple(each for each in wanted if deleted.get(each) is False),
        missing=tuple(each for each in wanted if each not in deleted),
        deleted=tuple(each for each in wanted if deleted.get(each)),
    )
