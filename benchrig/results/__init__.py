"""What a measured run is. Values only: nothing here reaches a host or prints."""
