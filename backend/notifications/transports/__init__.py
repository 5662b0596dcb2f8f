"""Ways out of the house: each service is a file beside ``base``."""
