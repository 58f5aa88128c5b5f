"""A record of a run's folder as an object: fields for its reader, and the very JSON again for the disk.

In: JSON of this version or an earlier one; what that did not have yet is absent. Out: a frozen object, whose misspelled fields are errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from movlr_jax import atomic

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**9)]


class TypedRecord(BaseModel):
    """A record, or a part of one. Fields that this version does not know stay in the JSON."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, populate_by_name=True)

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Self:
        """Return the record that stands in JSON.

        Raises:
            pydantic.ValidationError: it is none.
        """
        return cls.model_validate(atomic.plain(record))

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON holds it: what was never given is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
