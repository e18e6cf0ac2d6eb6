"""Messages about items, tracking categories, and bodies of XML."""

from __future__ import annotations

from caspen_xero.sandbox.books import messages as m
from tests.sandbox.bookkeeper import Bookkeeper
from tests.sandbox.provocations import provokes
from tests.sandbox.provoked_by_documents import ELSEWHERE
from tests.sandbox.provoked_by_names import whole


@provokes(m.ITEM_CODE_MISSING, "Price List Item Code must be supplied")
def changing_an_item_without_saying_its_code(b: Bookkeeper) -> list[str]:
    item = b.put("Items", {"Code": "PHYSIO"})
    assert b.refused("PUT", "Items", {"Name": "Physiotherapy"}) == [m.ITEM_CODE_MISSING()]
    return b.refused("POST", f"Items/{item['ItemID']}", {"Name": "Physiotherapy"})


@provokes(m.ITEM_CODE_TAKEN, "Price List Item with Code 'physio' already exists")
def an_item_of_a_code_that_there_is(b: Bookkeeper) -> list[str]:
    b.put("Items", {"Code": "PHYSIO"})
    return b.refused("PUT", "Items", {"Code": "physio"})


@provokes(m.ITEM_NOT_FOUND, "An existing Item with the specified ItemID could not be found")
def changing_an_item_that_is_not_there(b: Bookkeeper) -> list[str]:
    return b.refused("POST", "Items", {"ItemID": ELSEWHERE, "Code": "PHYSIO"})


@provokes(m.TRACKING_NAME_MISSING, "A name must be specified for tracking categories and options")
def a_tracking_option_without_a_name(b: Bookkeeper) -> list[str]:
    assert b.refused("PUT", "TrackingCategories", {"Status": "ACTIVE"}) == [m.TRACKING_NAME_MISSING()]
    category = b.put("TrackingCategories", {"Name": "Site"})
    return b.refused("PUT", f"TrackingCategories/{category['TrackingCategoryID']}/Options", {"Name": " "})


@provokes(m.TRACKING_CATEGORY_TAKEN, "A tracking category with this name already exists")
def a_tracking_category_made_twice(b: Bookkeeper) -> list[str]:
    b.put("TrackingCategories", {"Name": "Site"})
    return b.refused("PUT", "TrackingCategories", {"Name": "SITE"})


@provokes(m.TRACKING_OPTION_TAKEN, "For each specified tracking option the name must be unique")
def a_tracking_option_made_twice(b: Bookkeeper) -> list[str]:
    category = b.put("TrackingCategories", {"Name": "Site"})
    path = f"TrackingCategories/{category['TrackingCategoryID']}/Options"
    b.put(path, {"Name": "North"})
    return b.refused("PUT", path, {"Name": "north"})


@provokes(m.TRACKING_CATEGORIES_FULL, "An organisation can have at most 2 active tracking categories")
def a_third_tracking_category(b: Bookkeeper) -> list[str]:
    for name in ("Site", "Team"):
        b.put("TrackingCategories", {"Name": name})
    return b.refused("PUT", "TrackingCategories", {"Name": "Room"})


@provokes(m.TRACKING_NOT_FOUND, "An existing tracking category or option with the specified id could not be found")
def renaming_a_tracking_category_that_is_not_there(b: Bookkeeper) -> list[str]:
    return b.refused("POST", f"TrackingCategories/{ELSEWHERE}", {"Name": "Site"})


@provokes(m.XML_NOT_READABLE, "Xml for post data was invalid, no element found: line 1, column 9")
def xml_that_is_none(b: Bookkeeper) -> list[str]:
    whole(b, "PUT", "Contacts", b"<Contact><Name>Jo \x02 Smith</Name></Contact>", 14)
    return whole(b, "PUT", "Contacts", b"<Contact>", 14)


@provokes(
    m.XML_NOT_RECOGNISED,
    "The element 'Name' was not recognised. "
    "Ensure the element name has the correct case and that there are no duplicate elements of the same name.",
)
def a_name_twice_in_one_contact(b: Bookkeeper) -> list[str]:
    of_json = b"<Contact><Name>Jo</Name><HasValidationErrors>false</HasValidationErrors></Contact>"
    assert "'HasValidationErrors' was not recognised" in whole(b, "PUT", "Contacts", of_json, 14)[0]
    return whole(b, "PUT", "Contacts", b"<Contact><Name>Jo</Name><Name>Smith</Name></Contact>", 14)


@provokes(m.XML_DATE_NOT_VALID, "The string '20260914' is not a valid AllXsd value.")
def a_date_without_its_hyphens(b: Bookkeeper) -> list[str]:
    return whole(b, "PUT", "Invoices", b"<Invoice><Type>ACCREC</Type><Date>20260914</Date></Invoice>", 14)
