"""Code that the scripts share. Needs only Python's standard library."""
