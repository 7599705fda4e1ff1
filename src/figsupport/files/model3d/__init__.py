"""Looking inside 3D files with the standard library: bounded reads, nothing run, nothing trusted.

`read` never raises for what a file holds: a damaged file is a Model that does not open.
"""
