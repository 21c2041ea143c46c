"""One inference: the protocol, tensors, the runner and its cache, the data plane."""
