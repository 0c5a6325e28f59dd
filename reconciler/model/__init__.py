"""The values that everything is decided on. All frozen; the words are those of README.md beside this file."""
