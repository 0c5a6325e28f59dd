"""What rules, verify and pictures look at: every resource as it would be, and what the org says besides. Pure."""
