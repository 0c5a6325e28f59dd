"""What the org remembers: its file, components, sessions, users and switches."""
