"""What was last applied: how it advances, its journal, and its files."""
