"""Commands about plugins, and about the environments that some of them have to themselves."""
