from __future__ import annotations

from django.urls import path

from labels.labeling import entry, import_page, page, versions_page
from labels.opinions import agreement_page, decide_page

urlpatterns = [
    path("", entry.entry, name="label-entry"),
    path("versions/<str:label_id>/", versions_page.versions, name="label-versions"),
    path("import/<str:sheet_id>/", import_page.import_page, name="label-import"),
    path("<str:sheet_id>/<str:label_type>/", page.page, name="label"),
    path("<str:sheet_id>/<str:label_type>/item", page.item, name="label-item"),
    path("<str:sheet_id>/<str:label_type>/progress", page.progress, name="label-progress"),
    path("<str:sheet_id>/<str:label_type>/agreement", agreement_page.page, name="agreement"),
    path("<str:sheet_id>/<str:label_type>/adjudicate", decide_page.page, name="adjudicate"),
]
