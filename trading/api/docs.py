"""The published schema, and a page to read and try it."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer


@cache
def published() -> Any:
    """Made with the first request: anybody may ask, and it takes half a second of a core."""
    with translation.override(settings.LANGUAGE_CODE):
        return SchemaGenerator().get_schema(public=True)


class Published(SchemaGenerator):
    """The same answer to every request."""

    def get_schema(self, request: Any = None, public: bool = True) -> Any:
        """What was made once; a schema for whoever may less is not told here."""
        return published()


class Schema(SpectacularAPIView):
    """OpenAPI 3.1; the same for everybody."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [
        OpenApiJsonRenderer,
        OpenApiYamlRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer2,
    ]
    generator_class = Published


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, its script apart so that the page's policy holds."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api_schema"
    template_name = "trading/api_docs.html"

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        """A page, whatever is accepted: there is no other form of it."""
        return super().perform_content_negotiation(request, force=True)
