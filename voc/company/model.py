"""The company as a whole, and what must hold between its parts."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from voc.company.addresses import EmailAddress, Sender
from voc.company.brand import BrandColour
from voc.company.experiments import Experiment
from voc.company.fitting import TRIAGE, misfits
from voc.company.follow_up import FollowUpPolicy
from voc.company.hours import BusinessHours, Frozen, Sla, TimeZone
from voc.company.patterns import SafePattern
from voc.company.routing import Routing
from voc.company.schedules import Schedules
from voc.company.sources import SourceConfig
from voc.company.webhooks import Webhook

__all__ = ["MISFIT", "TRIAGE", "About", "Company", "Department", "Person", "Topic", "Touchpoint"]

MISFIT = "misfit"
"""The type of pydantic's error for parts that do not fit together."""

Id = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=64,
        description="Small letters, digits and _, a letter first. Never change it.",
    ),
]
Region = Annotated[
    str, Field(pattern=r"^[A-Z]{2}$", description="A country code of two capital letters: GB.")
]


class Person(Frozen):
    """A colleague who gets alerts."""

    name: str = Field(description="What alerts call them.")
    email: EmailAddress = Field(description="Where alerts go.")


class AlertRoute(Frozen):
    """A place where colleagues are alerted beside their mail.

    Its address is a secret of the machine: VOC_ALERT_URLS holds it under the same name.
    """

    name: Id
    channel: Literal["slack", "teams", "apprise"] = Field(description="What kind of place it is.")


class Department(Frozen):
    """A unit that must act."""

    id: Id
    name: str = Field(description="What people call it.")
    description: str = Field(description="What lands here, in words a customer would use.")
    examples: tuple[str, ...] = Field(
        default=(), description="What customers say that lands here; three to six help most."
    )
    owners: tuple[Person, ...] = Field(min_length=1, description="Who works its tickets.")
    escalation: tuple[Person, ...] = Field(default=(), description="One a level, lowest first.")
    alerts: tuple[AlertRoute, ...] = Field(
        default=(), description="Where else its alerts go: Slack, Teams, or what apprise knows."
    )
    business_hours: BusinessHours = Field(
        default=BusinessHours(), description="When it works: promises' clocks run only then."
    )
    sla: Sla = Field(default=Sla(), description="What it promises, in business hours.")


class Topic(Frozen):
    """A curated subject that people own. Routing rules name it."""

    id: Id
    department: str = Field(description="The id of the department that owns it.")
    description: str = Field(description="What it is about, in one sentence.")
    examples: tuple[str, ...] = Field(default=(), description="How customers put it.")
    severity: Literal["low", "normal", "high"] = Field(
        default="normal", description="How bad it is when it happens: sets a ticket's priority."
    )


class Touchpoint(Frozen):
    """Where we met the customer."""

    id: Id
    stage: Literal["awareness", "consideration", "purchase", "retention", "advocacy"] = Field(
        description="Where the customer is on their journey."
    )
    kind: Literal["owned", "earned", "paid"] = Field(
        default="owned", description="Whether the place is ours, others', or bought."
    )


class About(Frozen):
    """Who writes to the customers."""

    name: str = Field(description="What customers call the company.")
    sender: Sender = Field(description='"Name <address>", the From line of every mail.')
    postal_address: str = Field(description="Stands under every mail to a customer.")
    brand_names: tuple[str, ...] = Field(
        default=(), description="Names that must not decide what is similar: yours, your brands'."
    )
    brand_color: BrandColour | None = Field(
        default=None,
        description="Of customers' pages, as '#rrggbb': headings and buttons. Dark enough to be "
        "read on their light grounds.",
    )
    timezone: TimeZone = Field(
        default="UTC", description="Of dates in mails to customers whose zone we do not know."
    )
    customer_countries: tuple[Region, ...] = Field(
        default=(),
        description="Where customers may live whose country we do not know: quiet hours of all "
        "their zones are kept. Without any, those of the time zone above.",
    )
    phone_regions: tuple[Region, ...] = Field(
        default=("GB", "US", "DE"),
        min_length=1,
        description="Where telephone numbers without a country code may be from. First: default.",
    )
    order_number_patterns: tuple[SafePattern, ...] = Field(
        default=(), description="Regular expressions of your order numbers, which are masked."
    )
    person_names: str | None = Field(
        default=None,
        description="An installed spaCy pipeline that finds names of other people, to mask them.",
    )


class Company(Frozen):
    """The whole company file."""

    company: About = Field(description="Who writes to the customers.")
    departments: tuple[Department, ...] = Field(
        description="Who acts. One has the id triage and gets what no other is sure to own, and "
        "the unfinished tickets of a department that you take out."
    )
    topics: tuple[Topic, ...] = Field(default=(), description="What customers talk about.")
    touchpoints: tuple[Touchpoint, ...] = Field(default=(), description="Where you meet them.")
    sources: tuple[SourceConfig, ...] = Field(description="Where feedback comes from.")
    routing: Routing = Field(default=Routing(), description="How an issue finds its department.")
    follow_up: FollowUpPolicy = Field(
        default=FollowUpPolicy(), description="When a customer hears from us, and when not."
    )
    experiments: tuple[Experiment, ...] = Field(
        default=(), description="Ways of following up that are compared with each other."
    )
    webhooks: tuple[Webhook, ...] = Field(
        default=(), description="Other programs that are told of what happens."
    )
    schedules: Schedules = Field(default=Schedules(), description="When the flows run.")

    def department(self, department_id: str) -> Department:
        """The department with this id.

        Raises:
            KeyError: There is none. The validator rules that out for ids in this file.
        """
        return {d.id: d for d in self.departments}[department_id]

    def department_or_triage(self, department_id: str) -> Department:
        """The department with this id; triage if it has left the file since."""
        known = {d.id: d for d in self.departments}
        return known.get(department_id, known[TRIAGE])

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        found = [f"{'.'.join(map(str, f.path))}: {f.message}" for f in misfits(self.model_dump())]
        if found:
            raise PydanticCustomError(MISFIT, "{found}", {"found": "; ".join(found)})
        return self
