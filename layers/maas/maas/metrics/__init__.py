"""Counters of the whole fleet: counted in each environment, added up in the table, rolled up, read as series."""
