"""What Django tells of an error: on the page that DEBUG shows to whoever asks, and in mails to ADMINS."""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class DiscreetReports(SafeExceptionReporterFilter):
    """The traceback with its source and the settings, but nothing that anybody typed and no address.

    With DEBUG Django hides less: not what a form was filled with, such as a code of the alarm, nor
    passwords within addresses; and the variables of a frame may be or contain anything.
    """

    hidden_settings = re.compile("API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|URL|HOSTS", re.IGNORECASE)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        """Return the names of the fields."""
        return dict.fromkeys(request.POST if request else (), self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        """Return none of them."""
        return {}.items()
