"""Carries out plan, apply, drift, check and the like, step by step. Decisions are made elsewhere, on values.

One file a command, under its name. `session` is one run and how an org is read. Only `apply` (with `deploying` and `resume`)
and `baseline` change anything.
"""
