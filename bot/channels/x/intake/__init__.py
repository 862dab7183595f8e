"""How words of customers come in from X: each file is one job of a line, run by its ``Round``."""
