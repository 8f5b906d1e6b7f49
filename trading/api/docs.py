"""The published schema, and a page to read and try it."""

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer


class Schema(SpectacularAPIView):
    """OpenAPI 3.1; the same for everybody."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, its script apart so that the page's policy holds."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api_schema"
    template_name = "trading/api_docs.html"
