"""Recordings of what an org says, and runs in which a recording answers in the place of the org.

The transport is replaced, never the client: `recorder` and `player` are adapters that are mounted on the session, `scrubbing`
takes out what must not be kept, `file` is the file, `whole_org` reads an org so that what is read does not depend on the
desired files, `inspection` looks for what was overlooked.
"""
