from __future__ import annotations

from django.urls import path

from training.review import page

urlpatterns = [
    path("<str:training_sheet_id>/", page.page, name="review"),
    path("<str:training_sheet_id>/progress", page.progress, name="review-progress"),
    path("<str:training_sheet_id>/pairs/<str:pair_id>", page.item, name="review-item"),
]
