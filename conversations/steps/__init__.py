"""The effects of the table, by what they are about. ``step.Step`` puts them together."""
