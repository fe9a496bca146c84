"""OUT: templates to frozen mails, the outbox that delivers them, and the channels they take."""
