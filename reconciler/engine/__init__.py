"""Plan, apply, drift, check: the only place where things happen in order. What is decided is decided elsewhere, on values.

One file a command, under its name. `session` is one run and how an org is read. Only `apply` (with `deploying` and `resume`)
and `baseline` change anything.
"""
