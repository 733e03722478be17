from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from sheets.catalog_views import CatalogsView, CatalogView, SchemaView, TableView, VolumeView
from sheets.file_views import FileView
from sheets.views import SheetViewSet
from workbench.api.routers import Router

router = Router()
router.register("sheets", SheetViewSet)

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("catalog", CatalogsView.as_view()),
    path("catalog/<str:name>", CatalogView.as_view()),
    path("catalog/<str:name>/<str:schema>", SchemaView.as_view()),
    path("catalog/<str:name>/<str:schema>/volumes/<str:volume_name>", VolumeView.as_view()),
    path("catalog/<str:name>/<str:schema>/<str:table>", TableView.as_view()),
    path("files/<path:path>", FileView.as_view()),
]
