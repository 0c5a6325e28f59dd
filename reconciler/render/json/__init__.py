"""Results as JSON for machines, and the way back: saved plans and earlier reports."""
