"""The countries that an organisation can be made in, by the code that Xero shows as CountryCode."""

from __future__ import annotations

from caspen_xero.sandbox.organisation.australia import AUSTRALIA
from caspen_xero.sandbox.organisation.charts import Country
from caspen_xero.sandbox.organisation.new_zealand import NEW_ZEALAND
from caspen_xero.sandbox.organisation.singapore import SINGAPORE
from caspen_xero.sandbox.organisation.united_kingdom import UNITED_KINGDOM
from caspen_xero.sandbox.organisation.united_states import UNITED_STATES

COUNTRIES: dict[str, Country] = {
    "AU": AUSTRALIA,
    "NZ": NEW_ZEALAND,
    "GB": UNITED_KINGDOM,
    "US": UNITED_STATES,
    "SG": SINGAPORE,
}


def demo_company(country_code: str) -> str:
    """What Xero calls its demo company of that country's edition: `Demo Company (UK)`."""
    country = COUNTRIES.get(country_code)
    version = country.version if country else country_code
    return f"Demo Company ({'Global' if version == 'GLOBAL' else version})"
