"""Small servers for tests, each with one fault, run as processes of their own."""
