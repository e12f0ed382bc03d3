"""The program behind scripts/chapter. Needs only the standard library of Python 3.9 or newer, and git 2.25 or newer."""
