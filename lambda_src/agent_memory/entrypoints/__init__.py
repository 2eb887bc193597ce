"""Lambda handlers and the HTTP edge."""
