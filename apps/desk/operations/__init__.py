"""What CX operations looks after: messages, approvals, sources, experiments, models."""

from fastapi import APIRouter

from apps.desk.operations import (
    approvals,
    experiments,
    message,
    messages,
    models,
    quarantine,
    replies,
    sources,
    switch,
)

router = APIRouter()
for part in (
    messages,
    message,
    switch,
    approvals,
    replies,
    sources,
    quarantine,
    experiments,
    models,
):
    router.include_router(part.router)
