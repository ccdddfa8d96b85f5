"""What columns of customer files are usually called, in a few languages: what `--suggest-mapping` goes by."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType


def _called(words: str) -> tuple[str, ...]:
    return tuple(words.split())


IDENTIFIERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # In words for kinds of the shipped topology; a kind that the topology at hand has not is not suggested.
        "user_id": _called(
            "userid customerid customerno customernumber custid custno clientid accountid accountno kundennummer kundennr kundenid idclient "
            "numeroclient idcliente numerocliente personid memberid recid"
        ),
        "loyalty_id": _called("loyaltyid loyaltycard loyaltyno cardno cardnumber kartennummer cartefidelite tarjeta"),
        "email": _called("email emailaddress mail mailaddress emailadresse courriel correo correoelectronico adressemail"),
        "phone": _called(
            "phone phonenumber mobile mobilephone mobilenumber cell cellphone tel telephone telefon telefonnummer handy mobil portable telefono "
            "movil telefone celular msisdn homephone workphone"
        ),
    }
)

ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "first_name": _called("firstname givenname forename vorname prenom nombre nome"),
        "middle_name": _called("middlename"),
        "last_name": _called("lastname surname familyname nachname familienname nom apellido apellidos sobrenome"),
        "name": _called("name fullname customername nomcomplet nombrecompleto"),
        "title": _called("title salutation anrede titel civilite"),
        "gender": _called("gender sex geschlecht sexe genero"),
        "birth_date": _called(
            "birthdate dateofbirth dob birthday geburtsdatum geburtstag datedenaissance datenaissance fechanacimiento datanascimento"
        ),
        "street": _called("street address address1 addressline1 streetaddress strasse str adresse rue direccion calle rua"),
        "house_number": _called("housenumber houseno streetnumber hausnummer hausnr"),
        "address_2": _called("address2 addressline2 adresszusatz complement"),
        "city": _called("city town suburb ort stadt wohnort ville ciudad cidade"),
        "postcode": _called("postcode postalcode zip zipcode plz postleitzahl codepostal codigopostal cep"),
        "state": _called("state province region bundesland estado"),
        "country": _called("country countrycode land pays pais"),
        "language": _called("language lang sprache langue idioma"),
        "company": _called("company organisation organization firma societe empresa"),
    }
)

CHANGED = _called(
    "updatedat lastupdated lastmodified modifiedat modified changedat updated geaendertam geandertam aenderungsdatum timestamp lastchange "
    "createdat created registeredat registrationdate erstelltam"
)
"""Columns that say when a row was last changed, the better ones first; for want of such, when it was made."""

CONSENT = re.compile(r"consent|optin|newsletter|gdpr|dsgvo|einwilligung|permission|consentement|consentimiento")
_FILLER = re.compile(r"^(consent|optin|einwilligung|permission)+|(consent|optin|einwilligung|permission)+$")


def plain(column: str) -> str:
    """The letters and digits of a column's name, in lower case and without accents: `E-Mail Adresse` is `emailadresse`."""
    spread = unicodedata.normalize("NFKD", column.replace("ß", "ss")).casefold()
    return "".join(letter for letter in spread if letter.isalnum())


def known_as(column: str, words: Mapping[str, tuple[str, ...]]) -> str | None:
    """What a column of that name is likely to hold, also with a number behind it: `email_2` is an e-mail address."""
    bare = plain(column.rsplit(".", 1)[-1]), plain(column)
    for name in (*bare, *(one.rstrip("0123456789") for one in bare)):
        for meaning, called in words.items():
            if name and (name in called or name == plain(meaning)):
                return meaning
    return None


def purpose_of(column: str) -> str | None:
    """The purpose that a column is likely to grant or deny."""
    name = plain(column)
    if CONSENT.search(name) is None:
        return None
    return _FILLER.sub("", name) or "marketing"
