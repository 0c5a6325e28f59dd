"""The client: a Salesforce org, or a mock org that speaks as one, behind `reconciler.provider.Provider`."""
