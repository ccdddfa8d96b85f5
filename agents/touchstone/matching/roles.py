"""Which attribute plays which role in a comparison: the names that columns usually have, in many a company and language."""

import re
from collections.abc import Iterable, Mapping

from touchstone.topology.roles import ROLES, Role

__all__ = ["ROLES", "Role", "guess_role", "guess_roles"]

_USUAL: Mapping[Role, str] = {
    # Every name is compared without case, blanks, `_` and `-`; `primary`, `customer` and the like in front do not matter.
    "given_name": "givenname firstname forename fname vorname prenom nombre nome namefirst first",
    "family_name": "familyname surname lastname lname nachname nomdefamille apellido apellidos cognome sobrenome namelast last",
    "middle_name": "middlename secondname namemiddle middle zweitername",
    "full_name": "fullname name personname displayname namefull nativenamefull nom",
    "generation": "generation suffix namesuffix",
    "gender": "gender sex geschlecht",
    "birth_date": "dateofbirth birthdate dob birthday geburtsdatum datedenaissance fechadenacimiento datanascimento",
    "organisation": "organisation organization company companyname nameorg firma businessname secondarynameorg orgname",
    "employer": "employer arbeitgeber",
    "email": "email emailaddress mail eaddress emailaddr",
    "phone": "phone phonenumber telephone mobile msisdn telefon telephonenumber mobilenumber tel cell cellphone",
    "address": "address addressfull addrfull fulladdress anschrift adresse direccion",
    "street": "street streetname address1 addressline1 addrline1 line1 strasse rue calle streetaddress",
    "house_number": "housenumber streetnumber number hausnummer houseno streetno",
    "district": "district address2 addressline2 addrline2 line2 neighbourhood neighborhood quarter stadtteil bairro",
    "city": "city town suburb addrcity locality ort stadt ville ciudad cidade",
    "postcode": "postcode postalcode zip zipcode addrpostalcode plz codepostal cep pincode",
    "region": "region state province county addrstate bundesland",
    "country": "country countrycode addrcountry land pays pais",
    "national_id": "nationalid ssn socsecid socialsecuritynumber ssnnumber nationalidnumber nationalinsurancenumber personalid cpf aadhaar",
    "passport": "passport passportnumber passportno",
    "driving_licence": "drivinglicence drivinglicense driverslicense driverslicence driverslicensenumber drivinglicencenumber",
    "tax_id": "taxid taxidnumber vat vatnumber ein taxnumber steuernummer",
    "account": "account accountnumber iban customernumber loyaltyid contractnumber",
    "identifier": "leinumber lei",
}

_ROLE_OF: Mapping[str, Role] = {name: role for role, names in _USUAL.items() for name in names.split()}
_DECORATION = re.compile(r"^(?:primary|customer|person|personal|contact|home|user)(?=.)")


def guess_role(attribute: str) -> Role | None:
    """The role that an attribute of this name usually plays; None when the name says nothing."""
    bare = re.sub(r"[\W_]+", "", attribute.rsplit(".", maxsplit=1)[-1]).casefold()
    return _ROLE_OF.get(bare) or _ROLE_OF.get(_DECORATION.sub("", bare))


def guess_roles(attributes: Iterable[str]) -> dict[str, Role]:
    """The roles that attributes of these names usually play; those whose names say nothing are left out.

    >>> guess_roles(["rec_id", "given_name", "surname", "Date of birth", "colour"])
    {'given_name': 'given_name', 'surname': 'family_name', 'Date of birth': 'birth_date'}
    """
    return {attribute: role for attribute in attributes if (role := guess_role(attribute)) is not None}
