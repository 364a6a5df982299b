"""The cards of the Theory tab: what each says, asks and shows line by line, as data that the page and docs/ read."""
