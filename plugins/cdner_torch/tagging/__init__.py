"""Token classification on an encoder: what the methods that tag words share."""
