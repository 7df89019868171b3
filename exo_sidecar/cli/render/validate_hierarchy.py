"""The page of `validate-hierarchy`."""

from exo_sidecar.cli.page import Headline, Listing, Page
from exo_sidecar.cli.render.tones import counted
from exo_sidecar.operations.validate_hierarchy import HierarchyValidated


def run(result: HierarchyValidated) -> Page:
    """Say how many tickets were looked at, and name what is wrong with which."""
    wrong = tuple(each for each in result.tickets if not each.valid)
    if not wrong:
        return Page((Headline((f"{counted(result.checked, 'ticket')} looked at, each in its place",), "good"),))
    told = f"{counted(len(wrong), 'ticket')} of {result.checked} not in a valid place"
    listings = tuple(Listing(each.id, each.reasons) for each in wrong)
    return Page((Headline((told,), "bad"), *listings), ("exo ticket-edit ID --parent ID gives a ticket another place",))
