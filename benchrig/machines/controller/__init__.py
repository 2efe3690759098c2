"""Settings of the controller that machines of our own take over: APT, pip, authorities, proxies."""
