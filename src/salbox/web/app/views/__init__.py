"""The pages, one a file: widgets and the order of things, no logic. (Of a folder `pages` Streamlit runs the files.)"""
