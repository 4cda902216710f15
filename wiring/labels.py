"""What the metrics can say, so that each of it is counted from 0: the words of the rooms that count."""

from typing import Final

from services import auth_ms, payment_ms
from services.live_status.confirmations import Confirmation
from services.observability.metrics import LabelSets
from services.purchase import CheckoutKind
from services.subscription.model import DISAGREEMENTS
from ui.nicegui_ext.socket_guard import REFUSED_EVENTS

LABELS: Final = LabelSets(
    kinds=CheckoutKind,
    operations={"payment_ms": payment_ms.OPERATIONS, "auth_ms": auth_ms.OPERATIONS},
    confirmations=Confirmation,
    disagreements=DISAGREEMENTS,
    refused_events=REFUSED_EVENTS,
)
