"""The way back, from an org to files: what of the org is taken in, what a file then says, and which bytes change. Pure."""
