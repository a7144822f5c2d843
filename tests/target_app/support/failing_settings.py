"""The shop's settings with a fault: every twentieth request ends with a 500."""

import itertools

from config.settings import *  # noqa: F403 - the shop's own, all of them
from config.settings import MIDDLEWARE as AS_EVER
from django.http import HttpResponse

_numbers = itertools.count(1)


def every_twentieth(get_response):
    """Fail before anything of the shop runs, but within what counts requests."""

    def answer(request):
        fails = request.path.startswith("/api/") and next(_numbers) % 20 == 0
        return HttpResponse(status=500) if fails else get_response(request)

    return answer


MIDDLEWARE = [AS_EVER[0], "failing_settings.every_twentieth", *AS_EVER[1:]]
