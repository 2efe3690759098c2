"""SSH to the hosts: connections, keys, sudo, and the agent that is sent to them."""
