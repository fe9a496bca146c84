"""``voc``: what a person does from a terminal. One module a noun; `main` puts them together."""
