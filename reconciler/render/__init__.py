"""Plans, drift and results as text and JSON. Pure: values in, one string out; nothing is printed here."""
