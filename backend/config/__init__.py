"""This deployment: settings, addresses, routing. Nothing reusable."""
