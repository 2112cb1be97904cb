"""Types of Blooio v4: models, events, and the dictionaries that arguments take."""

from __future__ import annotations

from bloomchats.generated.blooio_v4.aliases import *
from bloomchats.generated.blooio_v4.events import *
from bloomchats.generated.blooio_v4.inputs import *
from bloomchats.generated.blooio_v4.models import *
