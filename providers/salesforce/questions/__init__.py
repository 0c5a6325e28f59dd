"""What an org is asked besides its metadata: users, history, itself, its token endpoint."""
