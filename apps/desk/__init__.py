"""The web pages behind the links in our mails: customers answer and opt out, owners act."""
