"""Understanding: texts and arrays in, arrays and small dataclasses out.

Nothing here knows a database, a clock, Prefect or a customer. Model libraries are imported
where they are used, so that importing this package costs nothing.
"""
