"""The Debian 12 disk that virtual machines start from, built from packages."""
