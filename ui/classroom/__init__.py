"""A class: a lecturer shows, asks and pauses; everybody who has the page open takes part, without an account."""
