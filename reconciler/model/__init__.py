"""The frozen values that everything is decided on: addresses, desired and live state, plans, findings, reports."""
