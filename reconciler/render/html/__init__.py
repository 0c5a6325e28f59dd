"""A report as one page that needs nothing else: no server, no network, no script that has to run for it to be read."""
