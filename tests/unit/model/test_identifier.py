"""An identifier as one string."""

from touchstone.model.identifier import identifier_key, kind_of, tenant_of, value_of


def test_a_key_can_be_taken_apart_again() -> None:
    """Whatever the value holds: slashes and colons too."""
    for value in ("ada@x.org", "https://x.org/a:b", "a/b", ":", ""):
        key = identifier_key("default", "email", value)

        assert (tenant_of(key), kind_of(key), value_of(key)) == ("default", "email", value)


def test_keys_of_two_tenants_differ() -> None:
    """The tenant is inside every key."""
    assert identifier_key("one", "email", "a") != identifier_key("two", "email", "a")
