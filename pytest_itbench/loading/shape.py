"""What the shapes of our files are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"

Name = Annotated[str, Field(pattern=NAME, max_length=63)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    """Unknown keys are mistakes; types are not bent."""

    model_config = ConfigDict(extra="forbid", frozen=True)
