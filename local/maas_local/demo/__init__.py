"""`make demo`: two classifiers, one endpoint, and a release in between."""
