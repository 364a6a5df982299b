"""What trainings and visitors of a server may take, and how room is made for a new run."""
