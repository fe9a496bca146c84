"""Customers as colleagues see them: found, looked at, unsealed, merged."""

from fastapi import APIRouter

from apps.desk.profile import merging, message, one, search, unsealing

router = APIRouter()
for part in (search, merging, message, unsealing, one):
    router.include_router(part.router)
