"""Pages in a browser: the app that runs here, and the page that needs no server."""
