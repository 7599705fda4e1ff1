"""What each command does: read its input, make one call, return an Answer. Prints nothing."""
