"""Recordings of what an org says, and runs that are held with one in the place of the org.

The transport is replaced, never the client: `recording` and `replaying` hold adapters that are mounted on the session,
`scrubbing` takes out what nobody may keep, `file` is the file, `whole` reads an org so that what is read does not depend
on the desired files, `inspecting` looks for what was overlooked.
"""
