"""Plan, apply, drift, check: the only place where things happen in order. What is decided is decided elsewhere, on values.

`session` is one run and how an org is read, `planning` and `applying` change an org, `looking` never does. `examining` and
`verifying` are imported by the one command that needs each: they would make every plan start later.
"""
