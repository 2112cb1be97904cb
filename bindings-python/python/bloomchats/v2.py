"""Types of Blooio v2: models, events, and the dictionaries that arguments take."""

from __future__ import annotations

from bloomchats.generated.blooio_v2.aliases import *
from bloomchats.generated.blooio_v2.events import *
from bloomchats.generated.blooio_v2.inputs import *
from bloomchats.generated.blooio_v2.models import *
