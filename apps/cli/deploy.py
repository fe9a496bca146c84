"""``voc deploy``: put the flows into a Prefect server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import httpx
from rich.console import Console

from apps.cli.deployments import for_company, read_automations, read_deployments
from apps.cli.prefect_server import quiet_prefect
from voc.company import Company
from voc.errors import ConfigurationError, VocError
from voc.settings import get_settings

console = Console()


def deploy() -> None:
    """Create or update the deployments on the server that PREFECT_API_URL names.

    What operations changed in the UI stays: paused deployments, schedules that were switched
    off, changed, added or deleted.
    """
    from tasks.workplace import workplace

    quiet_prefect(get_settings())
    if not os.environ.get("PREFECT_API_URL"):
        raise ConfigurationError(
            "PREFECT_API_URL names no Prefect server; `voc up` starts one and prints its address"
        )
    deploy_company(workplace().company, say)


def deploy_company(company: Company, tell: Callable[[str], None]) -> None:
    """Deploy for *company*, and tell what was done, a line a thing.

    Raises:
        VocError: The server did not answer, or refused.
    """
    from prefect.client.orchestration import get_client

    from apps.cli.deploying import deploy_all

    deployments = for_company(read_deployments(), company.schedules)

    async def work() -> None:
        async with get_client() as client:
            async for line in deploy_all(client, deployments, read_automations()):
                tell(line)

    try:
        asyncio.run(work())
    except httpx.HTTPStatusError as exc:
        raise VocError(f"the Prefect server refused: {_refusal(exc.response)}") from None
    except httpx.HTTPError:
        server = os.environ["PREFECT_API_URL"]
        raise VocError(f"no Prefect server answers at {server}: is it running?") from None


def _refusal(response: httpx.Response) -> str:
    if response.status_code in {401, 403}:
        return "PREFECT_API_AUTH_STRING is missing or wrong"
    return f"{response.status_code} for {response.request.method} {response.request.url.path}"


def say(line: str) -> None:
    """One line, as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
