from __future__ import annotations

import logging
import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from training.jobs.queue import Cluster
from training.jobs.upkeep import hand_back_own, look_after
from workbench.command import stated_plainly

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the queue's tasks, and take over jobs whose worker died; stops gently on SIGTERM or Ctrl-C. Example: manage.py worker"

    @stated_plainly
    def handle(self, *args: Any, **options: Any) -> None:
        stopping, cluster = Event(), Cluster()
        cluster.start()
        # After the cluster's own handlers, which wait for every task to end: hours, with a job.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        while not stopping.wait(min(5.0, settings.JOB_LEASE / 4)):
            if not cluster.sentinel.is_alive():
                raise CommandError("The queue's own supervisor ended: start the worker again.")
            self._look_after()
        self._stop(cluster)

    def _look_after(self) -> None:
        try:
            look_after()
        except DatabaseError:
            log.warning("Could not look for jobs whose worker died", exc_info=True)
        finally:
            connections.close_all()

    def _stop(self, cluster: Any) -> None:
        cluster.stop_event.set()
        while cluster.sentinel.is_alive():
            hand_back_own()
            cluster.sentinel.join(1)
