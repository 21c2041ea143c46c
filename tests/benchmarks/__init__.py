"""Speed, each figure beside what it is held against, in one run: `make bench` [`ARGS=--json`]."""
