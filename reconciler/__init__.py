"""Plans, applies and watches the identity configuration of Salesforce orgs. The map is in README.md beside this file."""

__version__ = "0.1.0"
