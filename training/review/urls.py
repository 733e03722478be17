from __future__ import annotations

from django.urls import path

from training.review import list_page, page

urlpatterns = [
    path("<str:training_sheet_id>/", page.page, name="review"),
    path("<str:training_sheet_id>/list", list_page.page, name="review-list"),
    path("<str:training_sheet_id>/views", list_page.views, name="review-views"),
    path("<str:training_sheet_id>/progress", page.progress, name="review-progress"),
    path("<str:training_sheet_id>/pairs/<str:pair_id>", page.item, name="review-item"),
]
