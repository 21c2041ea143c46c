"""`make demo`: two classifiers behind one endpoint, and a release of the second."""
