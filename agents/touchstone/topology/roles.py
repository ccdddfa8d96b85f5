"""The words of matching: which roles an attribute may play in a comparison, and of which parts blocks are made."""

from collections.abc import Collection, Mapping
from typing import Literal, get_args

Role = Literal[
    "given_name",
    "family_name",
    "middle_name",
    "full_name",
    "generation",
    "gender",
    "birth_date",
    "organisation",
    "employer",
    "email",
    "phone",
    "address",
    "street",
    "house_number",
    "district",
    "city",
    "postcode",
    "region",
    "country",
    "national_id",
    "passport",
    "driving_licence",
    "tax_id",
    "account",
    "identifier",
]
"""What an attribute can mean for a comparison. `address` is a whole address on one line; `identifier` is a number of any other kind."""

ROLES: tuple[Role, ...] = get_args(Role)

DEFAULT_BLOCK_LIMIT = 20
"""Records of one block in a stream, where the author says nothing."""

Part = Literal[
    "name",
    "name_start",
    "name_end",
    "district",
    "names",
    "birth_date",
    "birth_year",
    "birth_day",
    "street",
    "house_number",
    "city",
    "postcode",
    "email",
    "email_name",
    "phone",
    "organisation",
    "employer",
    "national_id",
    "passport",
    "driving_licence",
    "tax_id",
    "account",
    "identifier",
]
"""What the key of a block may be made of; matching/blocking.py makes them."""

PARTS: tuple[Part, ...] = get_args(Part)

_Ways = tuple[tuple[Role, ...], ...]

_NAME: _Ways = (("full_name",), ("given_name",), ("family_name",))
_BORN: _Ways = (("birth_date",),)
_PLACE: _Ways = (("address",), ("street",))
_FILLED: Mapping[Part, _Ways] = {
    # several ways, each some roles that must be there together; a street may be written with its number, or be a whole address
    "name": _NAME,
    "name_start": _NAME,
    "name_end": _NAME,
    "names": (("full_name",), ("given_name", "family_name")),
    "birth_date": _BORN,
    "birth_year": _BORN,
    "birth_day": _BORN,
    "street": _PLACE,
    "house_number": (("house_number",), *_PLACE),
    "city": (("city",), *_PLACE),
    "postcode": (("postcode",), *_PLACE),
    "email_name": (("email",),),
}


def can_fill(part: Part, roles: Collection[Role]) -> bool:
    """Whether attributes that play these roles can say anything for a part of a block."""
    ways: tuple[tuple[str, ...], ...] = _FILLED.get(part, ((part,),))
    return any(all(role in roles for role in way) for way in ways)
