"""What kinds, fields and bodies are, when two values are the same, and how bad a change of one is. Pure."""
