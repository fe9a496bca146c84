"""What people use: the command line, and the web pages of owners and customers."""
