"""What proves the speed; each runs by one command and prints ratios."""
