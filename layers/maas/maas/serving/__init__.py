"""One inference: protocol, tensors, runner and its cache, data plane."""
