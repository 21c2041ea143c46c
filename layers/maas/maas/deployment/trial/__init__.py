"""The smoke run: inputs that a model takes, from an example, a test vector or its signature."""
