"""One vendor each: they implement the ports and translate errors."""
