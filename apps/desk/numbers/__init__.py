"""The numbers: what CX operations watches. Each with its definition, table and download."""

from fastapi import APIRouter

from apps.desk.numbers import departments, leak_lists, leaks, overview, themes, trends, verbatims

router = APIRouter()
for each in (overview, trends, verbatims, themes, departments, leaks, leak_lists):
    router.include_router(each.router)
