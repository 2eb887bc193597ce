"""Making the Lambda zip: the same bytes from the same sources, for one platform at a time."""
