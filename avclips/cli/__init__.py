"""The command line: options, commands, and what a script does before anything has to be installed."""
