"""RECORDS: where things are kept on the governance branch, and how they change.

Layout, codec, ledger, fold, rendered files, transaction, local index. Imports git, model and base. Touches the
governance branch, its mount, and the clone's own folder below the git common directory. Invariants: state is a
function of the set of events alone; a transaction is there whole or not at all, whenever the process dies. Knows no
rule of a noun but its fold; what compiles a policy is passed in.
"""
