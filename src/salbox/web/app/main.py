"""The script that Streamlit runs for every visit: the list of pages, and the one that is asked for."""

# Streamlit runs this file as a script of no package.
from salbox.web.app.navigation import show

show()
