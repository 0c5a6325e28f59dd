"""What a configuration promises, as calls that must succeed and calls that must fail. Pure: nothing is called here.

`promises` makes the probes from the files and from what the org holds, `judging` says what an answer means. The engine
(`engine/verifying`) runs them.
"""
