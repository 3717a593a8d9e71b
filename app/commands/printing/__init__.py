"""What commands print: events as lines, and all that goes to standard output and standard error."""
