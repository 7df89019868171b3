"""DOOR: the command line. Arguments become parameters, results become text or JSON.

Imports operations, model and base; the only room that imports typer and rich. Touches stdin, stdout, stderr and the
exit status. Invariants: data on stdout and everything else on stderr; one broad `except`, in one place, turns what is
left into exit 3 and a report. Decides nothing and reads no records.
"""
