"""The support desk and its letters on HubSpot: CRM objects (dated API), conversations (v3)."""

from figsupport.adapters.hubspot.api import Account, open_api
from figsupport.adapters.hubspot.desk import HubSpotDesk, Portal
from figsupport.adapters.hubspot.mail import HubSpotMail

__all__ = ["Account", "HubSpotDesk", "HubSpotMail", "Portal", "open_api"]
