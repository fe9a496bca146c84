"""Where owners work: their queue, a ticket and what they do with it, the sheet of their huddle."""

from fastapi import APIRouter

from apps.desk.work import deeds, huddle, merging, queue, ticket

router = APIRouter()
for part in (queue, ticket, merging, deeds, huddle):
    router.include_router(part.router)
