"""The web app: pages behind links, the desk of those who sign in, and the API."""
