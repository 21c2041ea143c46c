"""Texts and images in, answers out: the steps before and after a graph's run, and how they are found in an export."""
