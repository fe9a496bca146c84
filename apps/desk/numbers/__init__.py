"""The numbers: what CX operations watches. Each with its definition, table and download."""

from fastapi import APIRouter

from apps.desk.numbers import departments, leaks, overview, themes, trends, verbatims

router = APIRouter()
for each in (overview, trends, verbatims, themes, departments, leaks):
    router.include_router(each.router)
