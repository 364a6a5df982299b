"""Training: the loop, a step of it, what it draws and what it keeps."""
