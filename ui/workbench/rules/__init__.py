"""The rules of a service as rows; what is typed is tried against them."""
