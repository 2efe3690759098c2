"""A bench on a host: units, load, counters and the network probe, served over one channel."""
