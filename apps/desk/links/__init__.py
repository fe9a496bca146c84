"""Pages behind a link in a mail: whoever has the link may do what it is for, and no more."""
