"""What the queue is asked for again and again."""

from __future__ import annotations

import pytest
from django_q.models import Schedule

from training.jobs.queue import every_minute


@pytest.mark.django_db
def test_a_schedule_is_made_once_and_two_of_a_name_do_no_harm() -> None:
    for _ in range(2):
        every_minute("look", "training.tasks.apply_reviews")
    assert Schedule.objects.filter(name="look").count() == 1
    Schedule.objects.create(name="look", func="training.tasks.apply_reviews")
    every_minute("look", "training.tasks.apply_reviews")
    assert Schedule.objects.filter(name="look").count() == 2
