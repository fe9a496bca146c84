"""A made-up company, its customers, and faithful fakes of the services: demo and test bed."""
