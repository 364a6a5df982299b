"""Files that are read without trust: models, tensors and JSON, and what each of them may say."""
